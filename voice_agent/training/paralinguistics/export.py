"""Writes trained networks as ONNX, weights in half precision."""

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

_LARGE = 64


def write(
    folder: Path,
    network: nn.Module,
    example: torch.Tensor,
    outputs: Sequence[str],
    axes: Mapping[int, str],
    settings: Mapping[str, object],
) -> None:
    """Writes ``model.onnx`` and ``model.json``.

    Args:
        folder: Where to; made if it is not there.
        network: In evaluation mode, on the CPU.
        example: An input.
        outputs: Names of the outputs.
        axes: Which axes of the input may have another length, and what they are called.
        settings: What the reader of the model needs to know beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter would need one more package.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (example,),
            buffer,
            input_names=["mel"],
            output_names=list(outputs),
            dynamic_axes={"mel": dict(axes)},
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    halve(model)
    onnx.checker.check_model(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    text = json.dumps(settings, indent=1) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")


def halve(model: onnx.ModelProto) -> None:
    """Stores large weights as float16, cast back when the model is loaded; in place."""
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        if values.size < _LARGE:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
