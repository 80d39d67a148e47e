"""Settings: one table, four sources, and nothing wrong goes by in silence."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml
from wsgidav.default_conf import DEFAULT_CONFIG

from davhost.bootstrap.config import WSGIDAV, overlay
from davhost.cli.settings import hide_password, reference, values
from davhost.model import Rules
from davhost.settings import BadSettings, Settings, load
from davhost.settings.sources import TOP_LEVEL, WSGIDAV_KEYS
from davhost.settings.table import show, unit_of, why
from davhost.settings.values import parse_networks
from davhost.sizes import format_size, parse_quota, parse_size

ROOT = Path(__file__).parents[2]
NAMES = list(Settings.model_fields)


def write(folder: Path, text: str, name: str = "wsgidav.yaml") -> Path:
    """Write a configuration file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, text: str = "", **environment: str) -> str:
    """Load what must be refused, and give back the reason."""
    file = write(folder, text) if text else None
    with pytest.raises(BadSettings) as refusal:
        load(file, environment=environment, folder=folder)
    return str(refusal.value)


# Sources


def test_without_any_source_the_defaults_hold(tmp_path):
    """davhost needs no configuration; its data is in ./data."""
    configuration = load(environment={}, folder=tmp_path)
    assert configuration.settings == Settings(data_dir=tmp_path / "data")
    assert configuration.file is None
    assert configuration.origins == {}


def test_a_file_in_the_folder_is_found(tmp_path):
    """wsgidav.yaml in the current folder is read without being named."""
    file = write(tmp_path, "port: 9000\ndavhost: {allow: 'odt, .TXT'}\n")
    configuration = load(environment={}, folder=tmp_path)
    assert (configuration.settings.port, configuration.settings.allow) == (9000, "odt, .TXT")
    assert configuration.file == file
    assert configuration.wsgidav == {"port": 9000}


def test_the_environment_can_name_the_file(tmp_path):
    """DAVHOST_CONFIG is --config for those who cannot pass options."""
    file = write(tmp_path, "port: 9001", "other.yaml")
    assert load(environment={"DAVHOST_CONFIG": str(file)}, folder=Path("/")).settings.port == 9001


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path):
    """The nearer to the person, the stronger."""
    file = write(tmp_path, "port: 1\nhost: file\ndavhost: {workers: 1, threads: 1}")
    environment = {"DAVHOST_PORT": "2", "DAVHOST_HOST": "environment", "DAVHOST_WORKERS": "2"}
    configuration = load(file, environment=environment, options={"port": 3, "host": None})
    settings = configuration.settings
    assert (settings.port, settings.host) == (3, "environment")
    assert (settings.workers, settings.threads) == (2, 1)
    assert configuration.origins == {
        "port": "command line",
        "host": "environment",
        "workers": "environment",
        "threads": str(file),
    }


def test_relative_paths_start_where_they_are_written(tmp_path):
    """In a file at the file's folder, elsewhere at the current one; ~ is home."""
    (tmp_path / "etc").mkdir()
    file = write(tmp_path / "etc", "davhost: {data_dir: drive, tls_certificate: ~/cert.pem}")
    from_file = load(file, environment={}, folder=tmp_path).settings
    assert from_file.data_dir == tmp_path / "etc/drive"
    assert from_file.tls_certificate == Path.home() / "cert.pem"
    nothing = write(tmp_path / "etc", "davhost:", "empty.yaml")
    assert load(nothing, environment={}, folder=tmp_path).settings.data_dir == tmp_path / "etc/data"
    from_option = load(file, environment={}, folder=tmp_path, options={"data_dir": Path("here")})
    assert from_option.settings.data_dir == tmp_path / "here"


def test_an_empty_section_is_no_setting(tmp_path):
    """The section as it comes, with every line commented out, is valid."""
    file = write(tmp_path, "davhost:\n  #port: 1\n")
    assert load(file, environment={}, folder=tmp_path).settings.port == 8080


def test_the_tests_own_variables_are_not_settings(tmp_path):
    """DAVHOST_TEST_* is for the test suite."""
    load(environment={"DAVHOST_TEST_POSTGRES": "0"}, folder=tmp_path)


# Refusals


def test_an_unknown_setting_is_refused_with_file_and_nearest_name(tmp_path):
    """A typing error never means that a default holds in silence."""
    reason = refused(tmp_path, "davhost: {quota_defualt: 10 GB}")
    assert str(tmp_path / "wsgidav.yaml") in reason
    assert "davhost.quota_defualt" in reason
    assert "davhost.quota_default?" in reason


def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path):
    """Variables are settings too."""
    assert "did you mean DAVHOST_PORT?" in refused(tmp_path, DAVHOST_PROT="1")


def test_an_unknown_key_beside_the_section_is_refused(tmp_path):
    """`davhots:` would switch all settings off."""
    assert "did you mean davhost?" in refused(tmp_path, "davhots: {port: 1}")


def test_host_and_port_in_the_section_are_sent_to_the_top(tmp_path):
    """They are WsgiDAV's own keys."""
    assert "top of the file" in refused(tmp_path, "davhost: {port: 9000}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "65536"),
        ("host", ""),
        ("data_dir", ""),
        ("workers", "0"),
        ("allow", "tar.gz"),
        ("allow", ""),
        ("quota_default", "much"),
        ("quota_default", "-1"),
        ("disk_reserve", "10 furlongs"),
        ("durability", "maybe"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("public_url", "drive.example.org"),
        ("public_url", "https://example.org/drive/"),
        ("admin_email", "admin"),
        ("lock_timeout_default_seconds", "10"),
        ("idle_timeout_seconds", "0"),
        ("propfind_infinity", "perhaps"),
        ("log_level", "loud"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_itself(tmp_path, name, value):
    """One line says where it stands, what is wrong, and what was written."""
    variable = f"DAVHOST_{name.upper()}"
    reason = refused(tmp_path, **{variable: value})
    assert reason.startswith(f"environment: {variable}: ")
    assert value in reason
    assert "\n" not in reason


def test_all_bad_values_are_named_at_once(tmp_path):
    """Nobody mends one line to be told about the next."""
    reason = refused(tmp_path, "port: many\ndavhost: {workers: 0}")
    assert len(reason.splitlines()) == 2


@pytest.mark.parametrize(
    "pair",
    [
        {"DAVHOST_THREADS": "2000"},
        {"DAVHOST_LOCK_TIMEOUT_DEFAULT_SECONDS": "600", "DAVHOST_LOCK_TIMEOUT_MAX_SECONDS": "300"},
        {"DAVHOST_TLS_PRIVATE_KEY": "key.pem"},
    ],
    ids=lambda pair: next(iter(pair)),
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, pair):
    """A setting is also wrong when another one makes it so."""
    assert refused(tmp_path, **pair)


@pytest.mark.parametrize("text", ["davhost: [", "- a\n- b\n", "davhost: all\n", "\x00"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    """A broken file is named in one line."""
    reason = refused(tmp_path, text)
    assert str(tmp_path / "wsgidav.yaml") in reason
    assert "\n" not in reason


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """--config of nothing is not the default configuration."""
    with pytest.raises(BadSettings, match="No such file"):
        load(tmp_path / "none.yaml", environment={}, folder=tmp_path)


def test_the_password_of_the_database_is_in_no_message(tmp_path):
    """Neither in a refusal nor in `davhost settings`."""
    url = "postgresql://davhost:secret@db/davhost"
    configuration = load(environment={"DAVHOST_DATABASE_URL": url}, folder=tmp_path)
    assert "secret" not in str(values(configuration))
    assert hide_password(url) == "postgresql://davhost:***@db/davhost"
    assert hide_password("sqlite:////srv/davhost.sqlite") == "sqlite:////srv/davhost.sqlite"
    assert "secret" not in refused(tmp_path, f"davhost: {{database_url: ['{url}']}}")


# Values


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("1048576", 2**20),
        (1048576, 2**20),
        ("10 GB", 10**10),
        ("512 MiB", 512 * 2**20),
        ("1.5 kB", 1500),
        ("2G", 2 * 2**30),
        (" 3 tib ", 3 * 2**40),
    ],
)
def test_sizes_are_read_as_people_write_them(text, size_bytes):
    """GB is 10^9 and GiB is 2^30."""
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "GB", "ten", "-1", "1e3", True, None, 1.5, "10 GB GB", "9" * 30]
)
def test_what_is_no_size_is_refused(text):
    """Also the truth, which Python takes for the number 1."""
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "10000000000 GB", "99999999.5 TB"])
def test_what_no_disk_holds_is_refused(text):
    """No database could keep it."""
    assert parse_size("9223372036854775807") == 2**63 - 1
    with pytest.raises(ValueError, match="less than"):
        parse_size(text)


@pytest.mark.parametrize("text", ["none", "None", "", None])
def test_none_is_no_quota(text):
    """The absence of a limit has a name."""
    assert parse_quota(text) is None


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (None, "none"),
        (0, "0 B"),
        (999, "999 B"),
        (1024, "1 KiB"),
        (10**10, "10 GB"),
        (2**29, "512 MiB"),
        (1_449_000, "1449 kB"),
        (1_449_001, "1.4 MB"),
    ],
)
def test_sizes_are_written_as_people_read_them(size_bytes, text):
    """Exactly when a round unit does it."""
    assert format_size(size_bytes) == text


def test_networks_are_read_from_lists_and_lines():
    """A list in the file, commas in the environment."""
    wanted = (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert parse_networks("10.0.0.0/8, ::1") == wanted
    assert parse_networks(["10.0.0.0/8", "::1"]) == wanted
    assert parse_networks("") == ()


def test_an_allow_list_may_be_a_list(tmp_path):
    """YAML has lists, and people use them."""
    file = write(tmp_path, "davhost: {allow: [txt, pdf]}")
    assert load(file, environment={}).settings.rules == Rules(frozenset({"txt", "pdf"}))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("sqlite:////srv/d.sqlite", "sqlite:////srv/d.sqlite"),
    ],
)
def test_postgresql_addresses_need_no_driver(given, used):
    """What the database's own manual writes is good enough."""
    assert Settings(database_url=given).catalogue_url == used


def test_the_embedded_catalogue_is_in_the_data_folder():
    """One folder is the whole server."""
    settings = Settings(data_dir=Path("/srv/drive"))
    assert settings.catalogue_url == "sqlite:////srv/drive/davhost.sqlite"


# Documents


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_says_what_it_is_for(name):
    """The table holds a sentence for each, and a unit where the name needs one."""
    assert why(name).endswith(".")
    if name.endswith("_seconds"):
        assert unit_of(name) == "s"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TOP_LEVEL])
def test_every_setting_stands_in_wsgidav_yaml(name):
    """Commented out, with its default, under what it is for."""
    text = (ROOT / "wsgidav.yaml").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if re.match(rf"#{name}:", line)]
    assert len(found) == 1
    value = yaml.safe_load(found[0].removeprefix("#"))[name]
    default = Settings.model_fields[name].default
    assert getattr(Settings.model_validate({name: value}), name) == default
    above = " ".join(line.removeprefix("# ") for line in lines[: lines.index(found[0])])
    assert above.endswith(why(name))


def test_the_reference_is_the_table():
    """config/README.md holds what `davhost settings --markdown` prints."""
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert text.endswith(reference())


def test_the_file_says_what_holds_without_it():
    """The server is the same with wsgidav.yaml as it comes, and with no file at all."""
    document = yaml.safe_load((ROOT / "wsgidav.yaml").read_text(encoding="utf-8"))
    assert document.pop("davhost") is None
    assert document == WSGIDAV


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda f: f.name)
def test_every_example_is_a_valid_configuration(file):
    """Examples are copied, so they work."""
    configuration = load(file, environment={})
    assert configuration.settings.data_dir.is_absolute()
    document = dict(configuration.wsgidav)
    assert overlay(WSGIDAV, document) == document


def test_every_key_of_wsgidav_is_known():
    """A configuration of WsgiDAV's own is not refused."""
    assert set(DEFAULT_CONFIG) <= WSGIDAV_KEYS


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_can_be_written_back(name, tmp_path):
    """A value copied from `davhost settings` into a variable means the same."""
    default = Settings.model_fields[name].default
    shown = show(name, default)
    settings = load(environment={f"DAVHOST_{name.upper()}": shown}, folder=tmp_path).settings
    if name == "data_dir":
        default = tmp_path / default
    assert getattr(settings, name) == default
