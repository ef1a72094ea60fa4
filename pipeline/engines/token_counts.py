"""Counting tokens with a model's own tokenizer files, without transformers, whose import takes longer than that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError

SENTENCEPIECE = ("source.spm", "sentencepiece.bpe.model", "spiece.model")
"""What the families call their SentencePiece model (of the source, where there are two)."""

Count = Callable[[Sequence[str]], int]


def token_counter(folder: Path) -> Count | None:
    """What counts the tokens of texts as the model in `folder` reads them, special tokens apart; None where it has no
    tokenizer file that can be read alone.

    The count is that of `Codec.count` but for texts that spell control tokens. Raises ModelError for a damaged file.
    """
    try:
        if (path := folder / "tokenizer.json").is_file():
            return _fast(path)
        found = next((path for name in SENTENCEPIECE if (path := folder / name).is_file()), None)
        return _pieces(found) if found else None
    except Exception as error:  # the libraries raise plain Exception and RuntimeError
        raise ModelError(
            f"the tokenizer of {folder.name} does not load: {error}", f"mekong models check {folder.name}"
        ) from error


def _fast(path: Path) -> Count:
    from tokenizers import Tokenizer

    tokenizer: Any = Tokenizer.from_file(str(path))
    return lambda texts: sum(len(row) for row in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False))


def _pieces(path: Path) -> Count:
    import sentencepiece

    model: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return lambda texts: sum(map(len, model.encode(list(texts))))
