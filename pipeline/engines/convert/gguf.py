"""Reading GGUF files (version 3) and writing a Qwen2 one out as a transformers checkpoint.

The layout is that of the GGUF specification in the ggml repository: magic, version, counts, key-value pairs, tensor
table, then tensor data at an alignment. Values are dequantised by the `gguf` package; the file itself is parsed here
because that package builds an array object for each of the 300,000 vocabulary strings, which takes longer than
dequantising the weights.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError

MAGIC = b"GGUF"
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
CONTROL_TOKEN, USER_TOKEN = 3, 4
CHUNK_VALUES = 1 << 16
"""Values dequantised at a time: a chunk and its intermediates stay in the second-level cache."""
THREADS = 2

QWEN2_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the tensor table: shape with the slowest axis first, ggml type number, offset into the data."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A parsed file: its metadata, its tensor table and all its bytes from `start` on."""

    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]
    data: memoryview
    start: int


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, codes: str) -> tuple[Any, ...]:
        layout = struct.Struct("<" + codes)
        values = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def string(self) -> str:
        (length,) = self.take("Q")
        self.at += length
        return bytes(self.data[self.at - length : self.at]).decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, count = self.take("IQ")
            if inner in SCALARS:
                return list(self.take(f"{count}{SCALARS[inner]}"))
            return [self.value(inner) for _ in range(count)]
        return self.take(SCALARS[kind])[0]


def parse(data: memoryview) -> GgufFile:
    """Parse a whole file held in memory.

    Raises ModelError when it is no GGUF file of version 3, or ends early.
    """
    cursor = _Cursor(data)
    try:
        magic, version, tensor_count, pair_count = cursor.take("4sIQQ")
        if magic != MAGIC or version != 3:
            raise ModelError(f"not a GGUF file of version 3 (magic {magic!r}, version {version})")
        metadata = {}
        for _ in range(pair_count):
            key = cursor.string()
            metadata[key] = cursor.value(cursor.take("I")[0])
        tensors = []
        for _ in range(tensor_count):
            name, rank = cursor.string(), cursor.take("I")[0]
            shape = cursor.take(f"{rank}Q")
            tensors.append(Tensor(name, tuple(reversed(shape)), *cursor.take("IQ")))
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise ModelError(f"the GGUF file is damaged near byte {cursor.at}: {error}") from error
    alignment = int(metadata.get("general.alignment", 32))
    return GgufFile(metadata, tuple(tensors), data, -(-cursor.at // alignment) * alignment)


def bfloat16_bits(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """float32 to the bits of bfloat16, rounded to the nearest, ties to even (finite values only)."""
    bits = values.view(np.uint32)
    return ((bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16).astype(np.uint16)


def chunks(file: GgufFile, tensor: Tensor) -> Iterator[NDArray[np.uint16]]:
    """The values of one tensor as bfloat16 bits, in order, some rows at a time.

    Raises ModelError when the tensor lies outside the file.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

    kind = GGMLQuantizationType(tensor.type)
    block_values, block_bytes = GGML_QUANT_SIZES[kind]
    columns = tensor.shape[-1]
    row_bytes = columns // block_values * block_bytes
    rows = int(np.prod(tensor.shape[:-1], dtype=np.int64))
    begin = file.start + tensor.offset
    if begin + rows * row_bytes > len(file.data):
        raise ModelError(f"the GGUF file ends inside tensor {tensor.name}", "Get the file again.")
    packed = np.frombuffer(file.data, np.uint8, rows * row_bytes, begin).reshape(rows, row_bytes)
    step = max(1, CHUNK_VALUES // columns)

    def unpack(row: int) -> NDArray[np.uint16]:
        return bfloat16_bits(np.ascontiguousarray(dequantize(packed[row : row + step], kind), np.float32))

    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(unpack, range(0, rows, step))


def qwen2_name(name: str) -> str:
    """The transformers name of a Qwen2 tensor: `blk.3.attn_q.bias` is `model.layers.3.self_attn.q_proj.bias`.

    Raises ModelError for a tensor that a Qwen2 model does not have.
    """
    *path, part, suffix = name.split(".")
    if part not in QWEN2_NAMES or suffix not in ("weight", "bias") or len(path) not in (0, 2):
        raise ModelError(f"the GGUF file has a tensor {name!r}, which is not part of a Qwen2 model")
    layer = f"model.layers.{int(path[1])}." if path else ""
    return f"{layer}{QWEN2_NAMES[part]}.{suffix}"


def write_safetensors(file: GgufFile, path: Path) -> None:
    """Write all tensors in bfloat16 as one safetensors file, holding one chunk in memory."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in file.tensors:
        size = 2 * int(np.prod(tensor.shape, dtype=np.int64))
        entry = {"dtype": "BF16", "shape": tensor.shape, "data_offsets": (offset, offset + size)}
        header[qwen2_name(tensor.name)] = entry
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for tensor in file.tensors:
            for chunk in chunks(file, tensor):
                stream.write(chunk.data)


def qwen2_config(metadata: Mapping[str, Any], tied: bool) -> dict[str, Any]:
    """The `config.json` of a Qwen2 model; `tied` when the output projection is the embedding matrix."""

    def of(key: str) -> Any:
        return metadata[f"qwen2.{key}"]

    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "dtype": "bfloat16",
        "hidden_act": "silu",
        "hidden_size": of("embedding_length"),
        "intermediate_size": of("feed_forward_length"),
        "max_position_embeddings": of("context_length"),
        "num_attention_heads": of("attention.head_count"),
        "num_hidden_layers": of("block_count"),
        "num_key_value_heads": of("attention.head_count_kv"),
        "rms_norm_eps": of("attention.layer_norm_rms_epsilon"),
        "rope_parameters": {"rope_theta": of("rope.freq_base"), "rope_type": "default"},
        "use_sliding_window": False,
        "tie_word_embeddings": tied,
        "vocab_size": len(metadata["tokenizer.ggml.tokens"]),
        "bos_token_id": metadata["tokenizer.ggml.bos_token_id"],
        "eos_token_id": metadata["tokenizer.ggml.eos_token_id"],
        "pad_token_id": metadata["tokenizer.ggml.padding_token_id"],
    }


def save_qwen2_tokenizer(metadata: Mapping[str, Any], folder: Path) -> None:
    """Write the tokenizer files of a Qwen2 model, chat template included.

    Raises ModelError when the file holds another kind of tokenizer.
    """
    from transformers import AddedToken, Qwen2Tokenizer

    kind = (metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", "qwen2"):
        raise ModelError(f"the GGUF file has a tokenizer of kind {kind}; only Qwen2's is known")
    tokens: Sequence[str] = metadata["tokenizer.ggml.tokens"]
    make: Any = Qwen2Tokenizer
    tokenizer = make(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[tuple(merge.split(" ", 1)) for merge in metadata["tokenizer.ggml.merges"]],
        bos_token=tokens[metadata["tokenizer.ggml.bos_token_id"]],
        eos_token=tokens[metadata["tokenizer.ggml.eos_token_id"]],
        pad_token=tokens[metadata["tokenizer.ggml.padding_token_id"]],
        unk_token=None,
    )
    for token, role in zip(tokens, metadata["tokenizer.ggml.token_type"], strict=True):
        if role in (CONTROL_TOKEN, USER_TOKEN):
            special = role == CONTROL_TOKEN
            tokenizer.add_tokens(AddedToken(token, special=special, normalized=False), special_tokens=special)
    tokenizer.chat_template = metadata["tokenizer.chat_template"]
    tokenizer.save_pretrained(folder)


def write_checkpoint(file: GgufFile, folder: Path) -> None:
    """Write weights, configuration and tokenizer of a Qwen2 GGUF file into `folder`.

    Raises ModelError when it holds another architecture.
    """
    architecture = file.metadata.get("general.architecture")
    if architecture != "qwen2":
        raise ModelError(f"the GGUF file holds a {architecture!r} model", "Only qwen2 can be converted.")
    tied = all(tensor.name != "output.weight" for tensor in file.tensors)
    config = qwen2_config(file.metadata, tied)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    generation = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n", encoding="utf-8")
    save_qwen2_tokenizer(file.metadata, folder)
    write_safetensors(file, folder / "model.safetensors")
