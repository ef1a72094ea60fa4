"""Tiny models with random weights in the layouts of the real ones: configuration, safetensors, tokenizer files.

Their tokenizers are trained on generated lines. The weights are scaled so that outputs differ between inputs and some
of them end by themselves.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

WORDS = {
    "th": "ประเทศไทย รัฐบาล นายก รัฐมนตรี เศรษฐกิจ ราคา น้ำมัน ประชาชน จังหวัด เชียงใหม่ วันนี้ กล่าว ว่า และ ของ ที่",
    "vi": "Việt Nam chính phủ thủ tướng kinh tế giá xăng dầu người dân tỉnh Hà Nội hôm nay cho biết và của những được",
    "en": "Thailand Vietnam government minister economy oil price people today said that and of the in was with",
}
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FAMILIES = ("marian", "m2m100", "nllb", "mbart50", "t5")
LANGUAGES = {
    "marian": ({"th": "", "vi": ""}, ""),
    "m2m100": ({"th": "__th__", "vi": "__vi__"}, "__en__"),
    "nllb": ({"th": "tha_Thai", "vi": "vie_Latn"}, "eng_Latn"),
    "mbart50": ({"th": "th_TH", "vi": "vi_VN"}, "en_XX"),
    "t5": ({"th": "", "vi": ""}, "<2en>"),
}


def sentence(lang: str, words: int, seed: int) -> str:
    """A line of random words; Thai without spaces."""
    pick = random.Random(f"{lang} {words} {seed}")
    return ("" if lang == "th" else " ").join(pick.choice(WORDS[lang].split()) for _ in range(words))


def _lines() -> list[str]:
    return [sentence(lang, 3 + seed % 9, seed) for lang in WORDS for seed in range(120)]


def _spm(kind: str = "unigram", **options: Any) -> bytes:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_lines()),
        model_writer=out,
        model_type=kind,
        vocab_size=320,
        character_coverage=1.0,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    return out.getvalue()


def _pieces(spm: bytes) -> list[str]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=spm)
    return [processor.id_to_piece(number) for number in range(len(processor))]


def _bpe(split: Any, alphabet: Sequence[str] = ()) -> tuple[dict[str, int], list[tuple[str, str]]]:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = split
    raw.train_from_iterator(
        _lines(), trainers.BpeTrainer(vocab_size=400, initial_alphabet=list(alphabet), show_progress=False)
    )
    trained = json.loads(raw.to_str())["model"]
    return trained["vocab"], [(left, right) for left, right in trained["merges"]]


def _json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def _save(model: Any, folder: Path, gain: float = 6.0) -> None:
    """Fill the matrices with noise and save.

    A high gain of the layers over the embeddings keeps a tied output from repeating the last token; the longer vector
    of the end token makes it come up now and then.
    """
    torch.manual_seed(4)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 2:
                words = any(part in name for part in ("embed", "shared", "lm_head"))
                value.normal_(0, 0.5 if words else gain / value.shape[1] ** 0.5)
        model.get_output_embeddings().weight[model.config.eos_token_id] *= 2
    model.save_pretrained(folder)


def _sizes(**more: Any) -> dict[str, Any]:
    return {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        **more,
    }


def marian(folder: Path) -> None:
    """OPUS-MT: two SentencePiece models, one vocabulary with the padding token at its end."""
    spm = _spm()
    (folder / "source.spm").write_bytes(spm)
    (folder / "target.spm").write_bytes(spm)
    words = ["</s>", "<unk>", *_pieces(spm)[3:], "<pad>"]
    _json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer"})
    pad = len(words) - 1
    config = transformers.MarianConfig(
        vocab_size=len(words),
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
        max_position_embeddings=128,
        **_sizes(),
    )
    _save(transformers.MarianMTModel(config), folder)


def m2m100(folder: Path) -> None:
    """M2M100: a fairseq dictionary, a SentencePiece model, language codes after the dictionary."""
    spm = _spm()
    (folder / "sentencepiece.bpe.model").write_bytes(spm)
    words = ["<s>", "<pad>", "</s>", "<unk>", *_pieces(spm)[3:]]
    _json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "M2M100Tokenizer"})
    codes = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    _json(folder / "special_tokens_map.json", {"additional_special_tokens": codes})
    config = transformers.M2M100Config(
        vocab_size=len(words) + 108, max_position_embeddings=128, decoder_start_token_id=2, **_sizes()
    )
    _save(transformers.M2M100ForConditionalGeneration(config), folder)


def nllb(folder: Path) -> None:
    """NLLB-200: M2M100's architecture, BPE in a tokenizer.json, codes such as tha_Thai."""
    vocab, merges = _bpe(pre_tokenizers.Metaspace())
    words = ["<s>", "<pad>", "</s>", "<unk>", *vocab]
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = transformers.NllbTokenizer(vocab=numbers, merges=merges)
    tokenizer.save_pretrained(folder)
    config = transformers.M2M100Config(
        vocab_size=len(tokenizer) + 2, max_position_embeddings=128, decoder_start_token_id=2, **_sizes()
    )
    _save(transformers.M2M100ForConditionalGeneration(config), folder)


def mbart50(folder: Path) -> None:
    """mBART-50: a SentencePiece model alone, codes such as th_TH added by the tokenizer class."""
    (folder / "sentencepiece.bpe.model").write_bytes(_spm())
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "MBart50Tokenizer"})
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.MBartConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=128,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        scale_embedding=True,
        **_sizes(),
    )
    _save(transformers.MBartForConditionalGeneration(config), folder)


def t5(folder: Path) -> None:
    """MADLAD-400: gated GELU, untied output, the target language as a word of the input."""
    spm = _spm(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, user_defined_symbols=["<2en>", "<2th>", "<2vi>"])
    (folder / "spiece.model").write_bytes(spm)
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "extra_ids": 0})
    config = transformers.T5Config(
        vocab_size=len(_pieces(spm)) + 8,
        d_model=32,
        d_kv=8,
        d_ff=48,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        dropout_rate=0.0,
    )
    _save(transformers.T5ForConditionalGeneration(config), folder)
    # As published: an output matrix of its own, the embedding under its decoder name, and no `shared.weight`.
    weights = load_file(folder / "model.safetensors")
    embedding = weights.pop("shared.weight")
    weights |= {"decoder.embed_tokens.weight": embedding, "lm_head.weight": embedding.flip(1).contiguous()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del stated["scale_decoder_outputs"]
    _json(folder / "config.json", stated | {"tie_word_embeddings": False})


def qwen2(folder: Path) -> None:
    """Qwen2: decoder-only, grouped queries, byte-level BPE and a ChatML template."""
    vocab, merges = _bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel.alphabet())
    for token in ("<|endoftext|>", "<|im_start|>", "<|im_end|>"):
        vocab[token] = len(vocab)
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=vocab,
        merges=merges,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
    )
    tokenizer.add_tokens(["<|im_start|>"], special_tokens=True)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    config = transformers.Qwen2Config(
        vocab_size=len(vocab) + 5,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        bos_token_id=vocab["<|endoftext|>"],
        eos_token_id=vocab["<|im_end|>"],
        pad_token_id=vocab["<|endoftext|>"],
        dtype="float32",
    )
    _save(transformers.Qwen2ForCausalLM(config), folder)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "marian": marian,
    "m2m100": m2m100,
    "nllb": nllb,
    "mbart50": mbart50,
    "t5": t5,
    "qwen2": qwen2,
}


def entry(family: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """The registry entry of a tiny model that lies in `folder`, named `tiny-FAMILY`."""
    chat = family == "qwen2"
    languages, target = LANGUAGES.get(family, ({"th": "", "vi": "", "en": ""}, ""))
    data: dict[str, Any] = {
        "name": f"tiny-{family}",
        "kind": "translator",
        "family": "chat" if chat else family,
        "sources": [f"path:{folder}"],
        "languages": languages,
        "target": target,
        "licence": "CC0-1.0",
        "commercial": True,
        "url": "https://example.org",
        "max_source_tokens": 100,
    }
    if chat:
        data["engine"] = {"cpu": "ctranslate2", "cuda": "transformers"}
        data["prompt"] = {
            "system": "Translate.",
            "user": "{language}: {hints}{text}",
            "end_tokens": ["<|im_end|>", "<|endoftext|>"],
        }
    return data | changes


def gguf(path: Path) -> None:
    """A Qwen2 model in a GGUF file with the block types of Q4_K_M files (random blocks, small scales)."""
    import gguf as package
    import numpy as np

    vocab, merges = _bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel.alphabet())
    tokens = [*vocab, "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool>", "[PAD0]"]
    roles = [1] * len(vocab) + [3, 3, 3, 4, 5]
    noise = np.random.default_rng(1)
    writer = package.GGUFWriter(path, "qwen2")
    writer.add_block_count(2)
    writer.add_context_length(2048)
    writer.add_embedding_length(256)
    writer.add_feed_forward_length(512)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(roles)
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(len(vocab))
    writer.add_eos_token_id(len(vocab) + 2)
    writer.add_pad_token_id(len(vocab))
    writer.add_chat_template(CHAT_TEMPLATE)

    def blocks(name: str, rows: int, columns: int, kind: Any) -> None:
        values, size = package.GGML_QUANT_SIZES[kind]
        data = noise.integers(0, 256, (rows * columns // values, size), np.uint8)
        small = np.float16(0.0004).tobytes()
        at = (0, 2) if kind == package.GGMLQuantizationType.Q4_K else (size - 2,)
        for start in at:
            data[:, start : start + 2] = np.frombuffer(small, np.uint8)
        writer.add_tensor(name, data.reshape(rows, -1), raw_dtype=kind)

    q4, q6 = package.GGMLQuantizationType.Q4_K, package.GGMLQuantizationType.Q6_K
    blocks("token_embd.weight", len(tokens), 256, q4)
    blocks("output.weight", len(tokens), 256, q6)
    writer.add_tensor("output_norm.weight", np.ones(256, np.float32))
    for layer in ("blk.0.", "blk.1."):
        for name, rows in (("attn_q", 256), ("attn_k", 128), ("attn_v", 128)):
            blocks(f"{layer}{name}.weight", rows, 256, q6 if name == "attn_v" else q4)
            writer.add_tensor(f"{layer}{name}.bias", noise.normal(0, 0.1, rows).astype(np.float32))
        blocks(f"{layer}attn_output.weight", 256, 256, q4)
        blocks(f"{layer}ffn_gate.weight", 512, 256, q4)
        blocks(f"{layer}ffn_up.weight", 512, 256, q4)
        blocks(f"{layer}ffn_down.weight", 256, 512, q6)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{layer}{name}.weight", noise.normal(1, 0.1, 256).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
