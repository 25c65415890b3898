"""Voice activity detection: how likely each 32 ms frame is speech.

The model is Silero VAD v6 (MIT), in the ONNX file that the faster-whisper package carries.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime

from voice_agent.audio.pcm import Samples
from voice_agent.errors import EngineUnavailable

FRAME = 512
"""Samples a frame at 16 kHz (32 ms)."""

_CONTEXT = 64


class VadModel:
    """The network, loaded once and shared by all sessions; safe to call from several threads."""

    def __init__(self) -> None:
        """Loads the network.

        Raises:
            EngineUnavailable: The file is not there.
        """
        options = onnxruntime.SessionOptions()
        # A frame is a fraction of a millisecond of work: more threads would only wait.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            _model_file(), options, providers=["CPUExecutionProvider"]
        )


class Vad:
    """The voice activity of one audio stream. Frames come one after another."""

    def __init__(self, model: VadModel) -> None:
        self._session = model.session
        self._input = np.zeros((1, _CONTEXT + FRAME), np.float32)
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)

    def probability(self, frame: Samples) -> float:
        """Probability in [0, 1] that the next ``FRAME`` samples at 16 kHz hold speech."""
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = frame
        probability, self._h, self._c = self._session.run(
            None, {"input": self._input, "h": self._h, "c": self._c}
        )
        return float(probability[0])


def _model_file() -> Path:
    # Found without importing the package, which would load its whole recognition stack.
    spec = find_spec("faster_whisper")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / "assets" / "silero_vad_v6.onnx"
        if file.is_file():
            return file
    raise EngineUnavailable(
        "the voice activity model silero_vad_v6.onnx is missing; "
        "install it with: pip install 'faster-whisper>=1.2,<2'"
    )
