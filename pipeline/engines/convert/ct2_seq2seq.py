"""An encoder-decoder checkpoint as a CTranslate2 model whose tokens are called by their ids.

The weights go through CTranslate2's own loaders. Their handling of tokenizers is left out: it drops Marian's padding
row, and guesses at what is missing when transformers 5 builds a vocabulary other than the model's. Here token n is
named str(n), and the decoder's start token is for the caller to give, so nothing but the weights is in the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.engines.weights import load_whole
from pipeline.errors import ModelError

LOADERS = {"marian": "BartLoader", "m2m_100": "M2M100Loader", "mbart": "MBartLoader", "t5": "T5Loader"}
"""Architecture -> loader. Marian's own one differs from Bart's in the padding row alone: it is the decoder's start."""


def convert(folder: Path, out: Path, quantization: str | None = "int8") -> None:
    """Write the model of `folder` (a transformers checkpoint in safetensors) into the new folder `out`.

    The model is in memory in float32, and its largest matrix a second time.

    Raises ModelError when it does not load, lacks weights, or has something that CTranslate2 has not.
    """
    import torch
    from safetensors import SafetensorError

    try:
        with torch.no_grad():
            spec = _specification(_load(folder))
            spec.validate()
            spec.optimize(quantization=quantization)
    except (ValueError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder.name} cannot be converted for CTranslate2: {error!r}") from error
    out.mkdir()
    spec.save(str(out))


def _load(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForSeq2SeqLM

    return load_whole(AutoModelForSeq2SeqLM, folder, dtype=torch.float32)


def _specification(model: Any) -> Any:
    """CTranslate2's description of a loaded model, with its weights.

    The configuration says what the published files leave open and transformers 5 has in its code.
    """
    from ctranslate2.converters import transformers as loaders

    config = model.config
    kind = config.model_type
    if kind == "t5":
        # transformers 5 always says that embeddings are tied, the loader takes it for T5 1.0's scaling of outputs.
        config.tie_word_embeddings = config.scale_decoder_outputs
    else:
        config.normalize_before = kind != "marian"
        config.normalize_embedding = kind == "mbart"
    spec = getattr(loaders, LOADERS[kind])().get_model_spec(model)
    names = [str(number) for number in range(config.vocab_size)]
    spec.register_source_vocabulary(names)
    spec.register_target_vocabulary(names)
    spec.config.eos_token = spec.config.bos_token = str(config.eos_token_id)
    # Stands for names that are not in the vocabulary, which all ids are.
    spec.config.unk_token = names[0]
    spec.config.decoder_start_token = None
    return spec
