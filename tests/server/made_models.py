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
