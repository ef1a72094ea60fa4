"""Runs in the environment of the learned metrics: `python tiny_scorers.py FOLDER ROWS`.

Makes tiny models with random weights as COMET's and MetricX's are published, and scores rows with COMET's own loader,
one by one for MetricX. Into FOLDER: a folder for each model with its tokenizer beside it, and expected.json.
"""

import json
import sys
from pathlib import Path

import torch
import yaml
from comet import load_from_checkpoint
from comet.models import str2model
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    MT5Config,
    MT5ForConditionalGeneration,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaTokenizerFast,
    XLMRobertaXLConfig,
)

LETTERS = [chr(code) for code in (*range(0x21, 0x7F), *range(0xE01, 0xE5B))]
SHAPE = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 130, "pad_token_id": 1, "type_vocab_size": 1,
}  # fmt: skip
KINDS = {
    "comet": ("regression_metric", "XLM-RoBERTa", {"layer_transformation": "sparsemax"}),
    "cometkiwi": ("unified_metric", "XLM-RoBERTa", {"input_segments": ["mt", "src"], "word_layer": 2}),
    "xcomet": ("xcomet_metric", "XLM-RoBERTa-XL", {"layer_transformation": "softmax", "word_layer": 2}),
}


def save_tokenizer(folder: Path, first: str) -> int:
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    inner = Tokenizer(models.Unigram([*pieces, *((letter, -3.0) for letter in LETTERS), ("<mask>", 0.0)], unk_id=3))
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    template = f"{first} $A </s>".strip()
    inner.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 0), ("</s>", 2)])
    kind = XLMRobertaTokenizerFast if first else PreTrainedTokenizerFast
    outer = kind(tokenizer_object=inner, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    outer.save_pretrained(folder)
    return len(outer)


def make_comet(folder: Path, name: str) -> None:
    identifier, encoder, extra = KINDS[name]
    tokenizer = folder / "tokenizer"
    size = save_tokenizer(tokenizer, "<s>")
    config = XLMRobertaXLConfig if name == "xcomet" else XLMRobertaConfig
    config(vocab_size=size, **SHAPE).save_pretrained(tokenizer)
    settings = {"encoder_model": encoder, "pretrained_model": str(tokenizer), "hidden_sizes": [24, 12], **extra}
    model = str2model[identifier](**settings, load_pretrained_weights=False, local_files_only=True)
    for weights in model.estimator.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(settings | {"class_identifier": identifier}))
    (folder / "checkpoints").mkdir()
    held = {"state_dict": model.state_dict(), "hyper_parameters": settings, "pytorch-lightning_version": "2"}
    torch.save(held, folder / "checkpoints" / "model.ckpt")


def make_metricx(folder: Path, rows: list[dict[str, str]]) -> list[float]:
    tokenizer = folder / "tokenizer"
    save_tokenizer(tokenizer, "")
    config = MT5Config(vocab_size=250112, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, pad_token_id=1)
    config.tie_word_embeddings, config.decoder_start_token_id = False, 0
    model = MT5ForConditionalGeneration(config).eval()
    torch.nn.init.normal_(model.lm_head.weight, std=1.0)
    model.save_pretrained(folder, safe_serialization=False)
    config.save_pretrained(tokenizer)
    read = PreTrainedTokenizerFast.from_pretrained(tokenizer)
    scores = []
    for row in rows:
        ids = read(f"source: {row['src']} candidate: {row['mt']} reference: {row['ref']}")["input_ids"][:-1]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[0]])).logits
        scores.append(min(25.0, max(0.0, float(logits[0, 0, 250089]))))
    return scores


def main(out: Path, rows: list[dict[str, str]]) -> None:
    torch.manual_seed(0)
    scores = {"metricx": make_metricx(out / "metricx", rows)}
    for name in KINDS:
        make_comet(out / name, name)
        model = load_from_checkpoint(str(out / name / "checkpoints" / "model.ckpt"), local_files_only=True)
        read = [{key: text for key, text in row.items() if name != "cometkiwi" or key != "ref"} for row in rows]
        scores[name] = model.predict(read, batch_size=16, gpus=0, progress_bar=False, num_workers=0).scores
    (out / "expected.json").write_text(json.dumps(scores))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
