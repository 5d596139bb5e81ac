"""The last walk over the records, and what is reported of the files that no reader knows."""

from auditlib import readers
from auditlib.inventory.delivery import Command
from auditlib.inventory.document import Document
from auditlib.inventory.stack import Service
from auditlib.model import Coverage, Location, Read
from auditlib.readers.masking import Masking, allow_names
from auditlib.redaction import Vault
from auditlib.source import Source

PLACE = Location("s3cret-x1/compose.yml")


def vault():
    vault = Vault()
    vault.learn("DB_PASSWORD=s3cret-x1\n")
    return vault


def test_every_text_of_a_record_is_masked_and_places_stay():
    record = Command(("run", "--x=s3cret-x1"), PLACE, assignments=("s3cret-x1",))
    masked = Masking(vault(), []).record(record)
    assert "s3cret" not in repr((masked.words, masked.assignments))
    assert masked.location is PLACE


def test_a_record_without_secrets_stays_the_very_same():
    record = Service("shop", "api", "nginx:1.27", PLACE, PLACE, command=("run", "a" * 50))
    masking = Masking(vault(), [])
    assert masking.record(record) is record
    assert masking.record(Service("shop", "api", "nginx:1.27", PLACE, PLACE)).image == "nginx:1.27"


def test_names_of_services_and_paths_are_shown():
    secrets = vault()
    service = Service("shop", "s3cret-x1", "s3cret-x1/file.yml", PLACE, PLACE)
    allow_names(secrets, [service])
    masked = Masking(secrets, ["s3cret-x1/file.yml"]).record(service)
    assert (masked.name, masked.image) == ("s3cret-x1", "s3cret-x1/file.yml")


def test_words_of_documents_and_reasons_of_coverage_are_masked():
    masking = Masking(vault(), [])
    document = Document("a.md", "t", (), (), frozenset({"s3cret-x1", "database"}), PLACE)
    assert masking.record(document).words == frozenset({"database"})
    entry = masking.coverage(Coverage("s3cret-x1.yml", "x", Read.FAILED, "near s3cret-x1"))
    assert (entry.file, "s3cret" in entry.reason) == ("s3cret-x1.yml", False)


def test_a_secret_met_late_is_masked_in_what_was_read_early(tmp_path):
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text("on: push\njobs: {a: {steps: [{run: echo late-s3cret-9}]}}\n")
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs: [{job_name: late-s3cret-9, basic_auth: {password: late-s3cret-9}}]\n"
    )
    inventory = readers.read(Source(tmp_path))
    assert inventory.steps
    assert inventory.scrape_jobs
    assert "late-s3cret-9" not in repr(inventory)


def test_what_no_reader_knows_is_counted_by_kind(tmp_path):
    for name in ("a.xyz", "b.xyz", "LICENSE", ".gitignore"):
        (tmp_path / name).write_text("x")
    (tmp_path / "big.yml").write_bytes(b"\x00")
    coverage = {(entry.file, entry.reason) for entry in readers.read(Source(tmp_path)).coverage}
    assert (".", "2 files of a format that no reader knows: *.xyz") in coverage
    assert (".", "1 file of a format that no reader knows: LICENSE") in coverage
    assert ("big.yml", "is binary; it was not read as text") in coverage
    assert not [reason for _, reason in coverage if "gitignore" in reason]


def test_what_a_script_takes_by_default_is_no_secret_unless_it_opens_something(tmp_path):
    (tmp_path / "deploy.sh").write_text('ENV_FILE="${ENV_FILE:-.env.prod}"\nAPI_KEY=${API_KEY:-kT4wPz7sHbN2}\n')
    source = Source(tmp_path)
    readers.read(source)
    assert source.vault.mask("docker compose --env-file .env.prod up") == "docker compose --env-file .env.prod up"
    assert "kT4wPz7sHbN2" not in source.vault.mask("curl -d kT4wPz7sHbN2")
