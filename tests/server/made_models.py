"""Tiny networks in the layouts that our loaders take. What they compute is simple; how they are loaded is real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy
import onnx
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from pathlib import Path

RATE_HZ = 22_050
SAMPLES_PER_TOKEN = 2_205  # 100 ms


def save(path: Path, graph: Any, metadata: dict[str, object] | None = None) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def constant(name: str, value: Any, dtype: Any) -> Any:
    array = numpy.asarray(value, dtype=dtype)
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(array))


def vits_folder(folder: Path) -> Path:
    """A VITS voice of characters: 100 ms of a 440 Hz sine for each token, over the speed."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = "가나다라마바사아하세요안녕반갑습니ㅂ"
    (folder / "tokens.txt").write_text(
        "".join(f"{c} {n}\n" for n, c in enumerate(["_", " ", ".", *letters])), encoding="utf-8"
    )
    nodes = [
        constant("per_token", float(SAMPLES_PER_TOKEN), numpy.float32),
        constant("step", 2 * numpy.pi * 440 / RATE_HZ, numpy.float32),
        constant("zero", 0.0, numpy.float32),
        constant("one", 1.0, numpy.float32),
        constant("level", 0.3, numpy.float32),
        constant("shape", [1, 1, -1], numpy.int64),
        constant("first", 0, numpy.int64),
        helper.make_node("Cast", ["x_length"], ["tokens"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["tokens", "per_token"], ["usual"]),
        helper.make_node("Mul", ["usual", "length_scale"], ["count"]),
        helper.make_node("Gather", ["count", "first"], ["limit"]),
        helper.make_node("Range", ["zero", "limit", "one"], ["at"]),
        helper.make_node("Mul", ["at", "step"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["sine"]),
        helper.make_node("Mul", ["sine", "level"], ["quiet"]),
        helper.make_node("Reshape", ["quiet", "shape"], ["y"]),
    ]
    scalar = [("noise_scale", [1]), ("length_scale", [1]), ("noise_scale_w", [1])]
    graph = helper.make_graph(
        nodes,
        "vits",
        [
            helper.make_tensor_value_info("x", TensorProto.INT64, [1, "T"]),
            helper.make_tensor_value_info("x_length", TensorProto.INT64, [1]),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in scalar),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, "N"])],
    )
    save(
        folder / "model.onnx",
        graph,
        {
            "model_type": "vits",
            "comment": "mms",
            "language": "Korean",
            "frontend": "characters",
            "add_blank": 0,
            "n_speakers": 1,
            "sample_rate": RATE_HZ,
            "punctuation": "",
        },
    )
    return folder


def silero_file(path: Path, *, layout: str) -> Path:
    """A detector whose rating is ten times the mean amplitude of the frame, in one of silero's layouts."""
    context = 0 if layout == "v4" else 64
    width = 512 + context
    states = {"v5": {"state": [2, 1, 128]}, "v4": {"h": [2, 1, 64], "c": [2, 1, 64]}}.get(
        layout, {"h": [1, 1, 128], "c": [1, 1, 128]}
    )
    nodes = [
        constant("ten", 10.0, numpy.float32),
        helper.make_node("Abs", ["input"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["mean", "ten"], ["loud"]),
        constant("one", 1.0, numpy.float32),
        helper.make_node("Min", ["loud", "one"], ["output"]),
        *(helper.make_node("Identity", [name], [f"{name}N"]) for name in states),
    ]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, width])]
    inputs += [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [shape[0], None, shape[2]])
        for name, shape in states.items()
    ]
    if layout in {"v4", "v5"}:
        inputs.append(helper.make_tensor_value_info("sr", TensorProto.INT64, []))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 1])]
    outputs += [
        helper.make_tensor_value_info(f"{name}N", TensorProto.FLOAT, [shape[0], None, shape[2]])
        for name, shape in states.items()
    ]
    save(path, helper.make_graph(nodes, "silero", inputs, outputs))
    return path


def whisper_folder(folder: Path, *, text: str) -> Path:
    """A Whisper of one layer that hears `text`, whatever it is given, in the first second."""
    from ctranslate2.specs import whisper_spec
    from ctranslate2.specs.model_spec import visit_spec
    from tokenizers import AddedToken, Tokenizer, decoders, models

    folder.mkdir(parents=True, exist_ok=True)
    stamps = [f"<|{n * 0.02:.2f}|>" for n in range(1_501)]
    languages = ["<|en|>", "<|ko|>"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    ordinary = [" ", *dict.fromkeys(text)]
    words = [*ordinary, *special, *stamps]
    identity = {word: number for number, word in enumerate(words)}

    tokenizer = Tokenizer(models.WordLevel(identity, unk_token=" "))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.decoder = decoders.Fuse()
    tokenizer.save(str(folder / "tokenizer.json"))

    said = ["<|0.00|>", *text, "<|1.00|>", "<|endoftext|>"]
    width = 64
    zeros = {
        "encoder/conv1/weight": (width, 80, 3),
        "encoder/conv2/weight": (width, width, 3),
        "encoder/position_encodings/encodings": (1_500, width),
        "decoder/embeddings/weight": (len(words), width),
        "ffn/linear_0/weight": (4 * width, width),
        "ffn/linear_1/weight": (width, 4 * width),
        "self_attention/linear_0/weight": (3 * width, width),
        "self_attention/linear_1/weight": (width, width),
        "attention/linear_0/weight": (width, width),
        "attention/linear_1/weight": (2 * width, width),
        "attention/linear_2/weight": (width, width),
    }
    # The decoder knows where it is and nothing else: position n selects the word that comes after n.
    positions = numpy.zeros((448, width), numpy.float32)
    positions[numpy.arange(width), numpy.arange(width)] = 1_000
    projection = numpy.zeros((len(words), width), numpy.float32)
    prompt = 1  # the start; with so few words it is taken for a model of one language, which needs no more
    for place, word in enumerate(said):
        projection[identity[word], prompt - 1 + place] = 10
    special_weights = {
        "decoder/position_encodings/encodings": positions,
        "decoder/projection/weight": projection,
    }

    def fill(spec: Any, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, str):
            return  # a setting, not a weight
        attribute = name.rpartition("/")[2]
        made: Any
        if name in special_weights:
            made = special_weights[name]
        elif attribute == "gamma":
            made = numpy.ones(width, numpy.float32)
        elif attribute == "beta":
            made = numpy.zeros(width, numpy.float32)
        elif attribute == "bias":
            weight = next(
                (s for end, s in zeros.items() if name.replace("/bias", "/weight").endswith(end)), None
            )
            made = numpy.zeros(weight[0] if weight else len(words), numpy.float32)
        else:
            shape = next((shape for end, shape in zeros.items() if name.endswith(end)), None)
            if shape is None:
                return
            made = numpy.zeros(shape, numpy.float32)
        setattr(spec, attribute, made)

    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    visit_spec(spec, fill)
    spec.register_vocabulary(words)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [identity[language] for language in languages]
    spec.config.alignment_heads = []
    spec.validate()
    spec.save(str(folder))
    return folder


def nemo_ctc_folder(folder: Path, *, text: str) -> Path:
    """A CTC model that hears `text`, whatever it is given: one letter for each of the first frames, then nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [*dict.fromkeys(text), "<blk>"]
    (folder / "tokens.txt").write_text(
        "".join(f"{letter} {number}\n" for number, letter in enumerate(letters)), encoding="utf-8"
    )
    frames = 2 * len(text)
    scores = numpy.zeros((1, frames, len(letters)), numpy.float32)
    for place, letter in enumerate(text):
        scores[0, 2 * place, letters.index(letter)] = 5.0
    blank = numpy.eye(len(letters), dtype=numpy.float32)[-1]
    nodes = [
        constant("said", scores, numpy.float32),
        constant("blank", blank, numpy.float32),
        constant("frames", [frames], numpy.int64),
        constant("before", [0, 0, 0, 0], numpy.int64),
        constant("after", [0], numpy.int64),
        # As many rows as frames were given: what was said, then nothing.
        helper.make_node("Sub", ["length", "frames"], ["more"]),
        helper.make_node("Concat", ["before", "more", "after"], ["pads"], axis=0),
        helper.make_node("Pad", ["said", "pads"], ["padded"]),
        helper.make_node("Add", ["padded", "blank"], ["logprobs"]),
    ]
    graph = helper.make_graph(
        nodes,
        "ctc",
        [
            helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["N", 80, "T"]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["N"]),
        ],
        [helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["N", "S", len(letters)])],
    )
    save(
        folder / "model.onnx",
        graph,
        {
            "model_type": "EncDecCTCModelBPE",
            "vocab_size": len(letters) - 1,
            "subsampling_factor": 1,
            "normalize_type": "per_feature",
        },
    )
    return folder
