"""Where models of the Hugging Face hub lie on this machine. Nothing is fetched."""

from pathlib import Path

import platformdirs


def pulled(name: str) -> Path:
    """Where a pulled model is kept.

    Args:
        name: Its name on the hub, as ``superb/wav2vec2-base-superb-er``.
    """
    data = platformdirs.user_data_path("voice-agent", appauthor=False)
    return data / "models" / name.replace("/", "--")


def find(name: str) -> Path | None:
    """The folder of a model: a pulled one, or one in the hub's own cache; None if neither."""
    if (pulled(name) / "config.json").is_file():
        return pulled(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder if (folder / "config.json").is_file() else None
