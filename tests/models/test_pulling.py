"""What a pull promises, against a server that does what servers do."""

import io
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, serving

from voice_agent.errors import ModelError
from voice_agent.models import fetching, installed, manifest, pulling
from voice_agent.models.catalogue import Archive, File, Source

WEIGHTS = bytes(range(256)) * 8_000
FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "tokenizer.json": b"{}",
    "model.bin": WEIGHTS,
    "README.md": b"# A model",
}
INCLUDE = ("*.json", "model.bin")


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``HF_ENDPOINT`` does."""
    path = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + path)


@pytest.fixture
def hub(monkeypatch) -> Iterator[Hub]:
    with serving(Hub(models={"some/model": dict(FILES)})) as hub:
        use(hub.url, monkeypatch)
        yield hub


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(installed, "home", lambda: tmp_path / "models")
    monkeypatch.setattr(fetching, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setenv("HF_TOKEN", "")
    return tmp_path / "models"


@pytest.fixture
def source() -> Source:
    return Source(name="tiny", licence="MIT", commercial="yes", hub="some/model", include=INCLUDE)


def pull(source: Source) -> Path:
    return pulling.pull(pulling.plan(source))


def test_a_model_is_fetched_whole_with_what_it_is_made_of(hub, source, home):
    plan = pulling.plan(source)
    assert plan.commit == COMMIT
    assert plan.size == len(WEIGHTS) + 24

    folder = pulling.pull(plan)

    assert folder == home / "tiny"
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "tokenizer.json", "model.bin", manifest.NAME,
    }  # fmt: skip
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    made_of = manifest.read(folder)
    assert made_of.revision == COMMIT
    assert made_of.source == "some/model"
    assert made_of.licence == "MIT"
    assert manifest.problems(folder, made_of.files) == []
    assert installed.find("tiny") == folder
    assert not any((home / ".pulling").glob("*/"))


def test_progress_counts_each_byte_once(hub, source):
    moves: list[int] = []
    hub.faults["model.bin"] = ["truncate", "no ranges"]

    pulling.pull(pulling.plan(source), moves.append)

    assert sum(moves) == len(WEIGHTS) + 24


def test_what_is_here_is_not_fetched_again(hub, source):
    plan = pulling.plan(source)
    pulling.pull(plan)
    asked = len(hub.requests)

    assert pulling.here(source) == pulling.pull(plan)
    assert len(hub.requests) == asked


def test_a_dropped_connection_is_gone_on_with(hub, source):
    hub.faults["model.bin"] = ["truncate", "truncate"]

    folder = pull(source)

    assert (folder / "model.bin").read_bytes() == WEIGHTS
    half, quarter = len(WEIGHTS) // 2, len(WEIGHTS) // 4
    ranges = [asked.get("Range") for asked in hub.asked("model.bin")]
    assert ranges == [None, f"bytes={half}-", f"bytes={half + quarter}-"]


def test_attempts_end_when_nothing_comes_of_them(hub, source, home):
    hub.faults["model.bin"] = ["truncate", 503, 500]

    with pytest.raises(ModelError, match="the server answers 500; what has come is kept"):
        pull(source)

    assert pulling.here(source) is None
    assert not (home / "tiny").exists()
    pull(source)
    assert hub.asked("model.bin")[-1]["Range"] == f"bytes={len(WEIGHTS) // 2}-"


def test_a_server_that_stalls_is_given_up_and_gone_on_with(hub, source, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    hub.faults["model.bin"] = ["stall"]

    assert (pull(source) / "model.bin").read_bytes() == WEIGHTS
    assert "Range" in hub.asked("model.bin")[-1]


def test_a_server_without_ranges_is_read_from_the_start(hub, source):
    hub.faults["model.bin"] = ["truncate", "no ranges"]

    assert (pull(source) / "model.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
def test_what_is_corrupt_is_thrown_away_and_never_installed(hub, source, home, name):
    hub.faults[name] = ["corrupt"]

    with pytest.raises(ModelError, match="thrown away"):
        pull(source)

    assert not (home / "tiny").exists()
    assert not list(home.rglob(f"{name}*"))
    assert (pull(source) / name).read_bytes() == FILES[name]


def test_a_part_that_does_not_belong_is_found_out(hub, source, home):
    part = home / ".pulling" / "tiny" / COMMIT / "model" / "model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(WEIGHTS) + 1))
    with pytest.raises(ModelError, match="instead of"):
        pull(source)

    part.write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="SHA-256"):
        pull(source)

    assert (pull(source) / "model.bin").read_bytes() == WEIGHTS


def test_what_has_come_of_another_commit_is_not_used(hub, source, home):
    old = home / ".pulling" / "tiny" / ("f" * 40)
    old.mkdir(parents=True)
    (old / "model.bin.part").write_bytes(b"old")

    pull(source)

    assert not old.exists()


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"size": 3}, "instead of 3"),
        ({"path": "vocabulary.json"}, r"does not have vocabulary\.json"),
    ],
)
def test_the_sums_of_the_catalogue_go_before_those_of_the_hub(hub, source, home, sizes, match):
    pinned = {"path": "model.bin", "size": len(WEIGHTS), "sha256": "3" * 64} | sizes
    source = source.model_copy(update={"files": (File(**pinned),)})

    with pytest.raises(ModelError, match=match):
        pull(source)
    assert not (home / "tiny").exists()


def test_a_newly_pinned_commit_replaces_the_old_one(hub, source, home):
    folder = pull(source)
    made_of = manifest.read(folder)
    made_of.model_copy(update={"revision": "f" * 40}).write(folder)
    (folder / "config.json").write_text("old")
    assert pulling.here(source) == folder

    pinned = source.model_copy(update={"revision": COMMIT})
    assert pulling.here(pinned) is None
    assert (pull(pinned) / "config.json").read_bytes() == FILES["config.json"]


def test_the_safe_form_of_weights_is_taken_where_there_are_two(hub, source):
    hub.models["some/model"] |= {"model.safetensors": b"safe", "pytorch_model.bin": b"pickled"}
    both = source.model_copy(update={"include": ("*.safetensors", "pytorch_model*.bin")})
    assert [file.path for file in pulling.plan(both).files] == ["model.safetensors"]

    del hub.models["some/model"]["model.safetensors"]
    assert [file.path for file in pulling.plan(both).files] == ["pytorch_model.bin"]


def test_what_lies_in_folders_of_a_model_is_left_there(hub, source):
    hub.models["some/model"]["onnx/config.json"] = b"{}"

    assert "onnx/config.json" not in {file.path for file in pulling.plan(source).files}


def test_a_model_that_was_renamed_is_followed(hub, source):
    hub.models["other/name"] = hub.models.pop("some/model")
    hub.renamed["some/model"] = "other/name"

    assert (pull(source) / "model.bin").read_bytes() == WEIGHTS


def test_a_token_is_sent_to_the_hub_and_to_nobody_else(hub, source, monkeypatch):
    hub.token = "hf_secret"
    with pytest.raises(ModelError, match="HF_TOKEN"):
        pull(source)

    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(source)

    assert all("Authorization" not in asked for asked in hub.asked("model.bin"))
    assert all("Authorization" in asked for asked in hub.asked("config.json"))


def test_a_file_that_needs_agreement_says_so(hub, source):
    hub.faults["model.bin"] = [403]

    with pytest.raises(ModelError, match=r"403.*agree to its terms") as error:
        pull(source)
    assert "secret" not in str(error.value)


def test_a_file_that_is_gone_says_so(hub, source):
    hub.faults["model.bin"] = [404]

    with pytest.raises(ModelError, match="the server answers 404"):
        pull(source)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"hub": "some/other"}, "has no model some/other"),
        ({"revision": "v2"}, "no revision v2"),
        ({"include": ("*.onnx",)}, "any file to fetch"),
    ],
)
def test_what_the_hub_does_not_have_is_named(hub, source, change, match):
    with pytest.raises(ModelError, match=match):
        pulling.plan(source.model_copy(update=change))


def test_a_hub_that_fails_says_so(hub, source):
    hub.faults["api"] = [500]

    with pytest.raises(ModelError, match="try again later, or name a mirror in HF_ENDPOINT"):
        pulling.plan(source)


def test_a_hub_that_lists_a_file_outside_of_the_model_is_refused(hub, source):
    hub.models["some/model"]["../config.json"] = b"{}"

    with pytest.raises(ModelError, match="no path inside"):
        pulling.plan(source.model_copy(update={"include": ("*/*",)}))


def test_a_hub_that_is_not_there_says_so(source, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        use(f"http://127.0.0.1:{closed.getsockname()[1]}", monkeypatch)
        with pytest.raises(ModelError, match="HF_ENDPOINT"):
            pulling.plan(source)


def test_a_server_that_vanishes_leaves_nothing_half_installed(source, home, monkeypatch):
    with serving(Hub(models={"some/model": dict(FILES)})) as hub:
        use(hub.url, monkeypatch)
        plan = pulling.plan(source)

    with pytest.raises(ModelError, match="what has come is kept"):
        pulling.pull(plan)
    assert not (home / "tiny").exists()


def test_offline_mode_fetches_nothing_and_says_so(hub, source, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        pulling.plan(source)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        pulling.plan(zipped(hub, {"config.json": b"{}"}))
    assert hub.requests == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(hub, source, monkeypatch):
    plan = pulling.plan(source)
    asked = len(hub.requests)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))

    with pytest.raises(ModelError, match="needs 2 MB and there are 0 MB free"):
        pulling.pull(plan)
    assert len(hub.requests) == asked


def test_a_folder_that_cannot_be_written_is_named(hub, source, home):
    home.write_text("a file")

    with pytest.raises(ModelError, match=str(home)):
        pull(source)


def test_two_pulls_of_one_model_do_not_meet(hub, source):
    hub.faults["model.bin"] = ["stall"]
    plan = pulling.plan(source)
    first = threading.Thread(target=pulling.pull, args=(plan,))
    first.start()
    assert hub.half_sent.wait(10)

    with pytest.raises(ModelError, match="another process is fetching or removing tiny"):
        pulling.pull(plan)
    with pytest.raises(ModelError, match="another process"):
        pulling.remove(source)

    hub.go_on.set()
    first.join(20)
    assert (pulling.here(source) / "model.bin").read_bytes() == WEIGHTS


def test_a_pull_that_is_interrupted_goes_on_where_it_was(hub, source, monkeypatch):
    moves: list[int] = []

    def interrupt(size: int) -> None:
        moves.append(size)
        if sum(moves) > len(WEIGHTS) // 2:
            raise KeyboardInterrupt

    plan = pulling.plan(source)
    with pytest.raises(KeyboardInterrupt):
        pulling.pull(plan, interrupt)

    assert pulling.here(source) is None
    assert (pulling.pull(plan) / "model.bin").read_bytes() == WEIGHTS
    assert "Range" in hub.asked("model.bin")[-1]


def test_a_removed_model_is_gone_with_what_it_took(hub, source, home):
    pull(source)

    assert pulling.remove(source) > len(WEIGHTS)
    assert pulling.here(source) is None
    with pytest.raises(ModelError, match="not among the pulled models"):
        pulling.remove(source)


def test_what_has_come_of_an_interrupted_pull_can_be_removed(hub, source, home):
    hub.faults["model.bin"] = ["truncate", 500, 500]
    with pytest.raises(ModelError):
        pull(source)

    assert pulling.remove(source) >= len(WEIGHTS) // 2
    assert not list(home.rglob("*.part"))


# Models that come as a zip file.


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def zipped(hub: Hub, files: dict[str, bytes], **pinned: object) -> Source:
    hub.archives["voice.zip"] = zip_of(files)
    archive = Archive.model_validate({"url": f"{hub.url}/archives/voice.zip"} | pinned)
    return Source(name="voice", licence="Apache-2.0", commercial="yes", archive=archive)


VOICE = {"tts--voice/config.json": b"{}", "tts--voice/sub/model_file.pth": WEIGHTS}


def test_an_archive_is_unpacked_without_the_folder_around_it(hub):
    folder = pull(zipped(hub, VOICE))

    assert (folder / "config.json").read_bytes() == b"{}"
    assert (folder / "sub" / "model_file.pth").read_bytes() == WEIGHTS
    made_of = manifest.read(folder)
    assert {file.path for file in made_of.files} == {"config.json", "sub/model_file.pth"}
    assert manifest.problems(folder, made_of.files) == []


def test_an_archive_goes_on_where_it_was(hub):
    source = zipped(hub, VOICE)
    hub.faults["voice.zip"] = ["truncate"]

    pull(source)

    ranges = [headers.get("Range") for headers in hub.asked("voice.zip")]
    assert ranges == [None, f"bytes={len(hub.archives['voice.zip']) // 2}-"]


def test_an_archive_that_is_pinned_must_be_that_one(hub):
    with pytest.raises(ModelError, match="SHA-256"):
        pull(zipped(hub, VOICE, size=len(zip_of(VOICE)), sha256="0" * 64))


def test_a_damaged_archive_is_fetched_anew(hub, home):
    source = zipped(hub, VOICE)
    good = hub.archives["voice.zip"]
    middle = len(good) // 2
    hub.archives["voice.zip"] = good[:middle] + b"xxxx" + good[middle + 4 :]
    with pytest.raises(ModelError, match="no whole zip file"):
        pull(source)
    assert not (home / "voice").exists()

    hub.archives["voice.zip"] = good
    assert (pull(source) / "config.json").is_file()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:\\evil"])
def test_an_archive_that_reaches_out_of_its_folder_is_refused(hub, home, tmp_path, name):
    with pytest.raises(ModelError, match="was not unpacked"):
        pull(zipped(hub, {"config.json": b"{}", name: b"evil"}))

    assert not list(tmp_path.rglob("*evil*"))


def test_an_archive_with_a_link_is_refused(hub, home):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    source = zipped(hub, VOICE)
    buffer = io.BytesIO(hub.archives["voice.zip"])
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    hub.archives["voice.zip"] = buffer.getvalue()

    with pytest.raises(ModelError, match="is a link"):
        pull(source)


def test_an_empty_archive_is_refused(hub):
    with pytest.raises(ModelError, match="holds no model"):
        pull(zipped(hub, {}))


# What is meant by a name.


def test_a_name_means_a_model_of_the_catalogue_or_any_of_the_hub():
    assert pulling.source("small.en").name == "faster-whisper-small.en"
    other = pulling.source("some/model")
    assert (other.name, other.hub) == ("some--model", "some/model")


@pytest.mark.parametrize(
    ("name", "match"), [("silero-vad-v6", "comes with the agent"), ("smal", "models list")]
)
def test_a_name_that_cannot_be_fetched_is_told(name, match):
    with pytest.raises(ModelError, match=match):
        pulling.source(name)


@pytest.mark.parametrize(("told", "licence"), [("mit", "mit"), (None, "unknown")])
def test_the_licence_of_a_model_of_the_hub_is_that_of_its_page(hub, told, licence):
    hub.licence = told

    assert pulling.plan(pulling.source("some/model")).licence == licence
