"""What the Hugging Face hub has of a model: which files, of which commit, with which sums."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from voice_agent.errors import ModelError
from voice_agent.models.catalogue import Source, inside
from voice_agent.models.fetching import Remote

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo


@dataclass(frozen=True, slots=True)
class Listing:
    """A model at a commit of the hub.

    Attributes:
        commit: The commit.
        licence: What its page says of its licence; None if that is nothing.
        files: The files that are to be fetched.
    """

    commit: str
    licence: str | None
    files: tuple[Remote, ...]


def listing(model: Source) -> Listing:
    """Asks the hub for the files of a model.

    The environment variables of ``huggingface_hub`` apply: ``HF_ENDPOINT``, ``HF_TOKEN``,
    ``HF_HUB_OFFLINE`` and those of proxies.

    Raises:
        ModelError: The hub does not answer, does not have it, or lists what the catalogue does not
            expect.
    """
    from huggingface_hub import HfApi, constants, get_token, hf_hub_url

    repository = model.hub
    assert repository is not None
    about = _ask(HfApi(), repository, model.revision, constants.HF_HUB_DOWNLOAD_TIMEOUT)
    commit = about.sha
    if commit is None or about.siblings is None:
        raise ModelError(f"{constants.ENDPOINT} does not tell the files of {repository}")
    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    files = []
    for each in about.siblings:
        path = each.rfilename
        if not any(_fits(path, pattern) for pattern in model.include):
            continue
        try:
            inside(path)
        except ValueError as error:
            raise ModelError(
                f"{constants.ENDPOINT} lists a file of {repository}: {error}"
            ) from None
        if each.size is None:
            raise ModelError(f"{constants.ENDPOINT} does not tell the size of {path}")
        files.append(
            Remote(
                path=path,
                url=hf_hub_url(repository, path, revision=commit),
                size=each.size,
                sha256=each.lfs.sha256 if each.lfs else None,
                git_blob=None if each.lfs else each.blob_id,
                headers=headers,
            )
        )
    licence = getattr(about.card_data, "license", None)
    return Listing(commit, licence, _as_pinned(model, _one_form(files)))


def _ask(api: "HfApi", repository: str, revision: str, timeout_s: float) -> "ModelInfo":
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return api.model_info(repository, revision=revision, files_metadata=True, timeout=timeout_s)
    except GatedRepoError:
        raise ModelError(
            f"{repository} is given only to those who agree to its terms: do so on its page "
            f"{api.endpoint}/{repository}, and set HF_TOKEN to a token of that account"
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"{api.endpoint} has no model {repository}, or gives it only to those who log in: set "
            "HF_TOKEN to a token of your account"
        ) from None
    except RevisionNotFoundError:
        raise ModelError(f"{api.endpoint} has no revision {revision} of {repository}") from None
    except Exception as error:
        # The client of the hub has changed its HTTP library, and with it these errors, twice.
        raise ModelError(
            f"{api.endpoint} does not answer as a hub ({str(error) or type(error).__name__}); try "
            "again later, or name a mirror in HF_ENDPOINT"
        ) from error


def _fits(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def _one_form(files: list[Remote]) -> list[Remote]:
    """Without the pickled weights where the safe form is there too."""
    if any(file.path.endswith(".safetensors") for file in files):
        return [file for file in files if not file.path.startswith("pytorch_model")]
    return files


def _as_pinned(model: Source, files: list[Remote]) -> tuple[Remote, ...]:
    """With the sums of the catalogue, which go before those of the hub."""
    pins = {file.path: file for file in model.files}
    missing = set(pins) - {file.path for file in files}
    if missing or not files:
        raise ModelError(
            f"the hub does not have {', '.join(sorted(missing)) or 'any file to fetch'} of "
            f"{model.hub} at {model.revision}"
        )
    return tuple(
        replace(file, size=pin.size, sha256=pin.sha256) if (pin := pins.get(file.path)) else file
        for file in files
    )
