"""The README: the commands it names for testing are the ones that continuous integration runs, and no others."""

import re
import shlex

from tests.support.repository_files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def commands(heading: str) -> list[str]:
    section = re.split(r"^## ", README, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading + "\n"))
    blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_continuous_integration_runs_the_commands_of_the_readme():
    lines = [line.strip().removesuffix(" || exit 1") for line in CI.splitlines()]
    ran = [line for line in lines if "pytest" in line and not line.startswith("#")]
    assert ran == commands("Test")


def test_it_installs_what_the_readme_names():
    named = re.search(r"`apt-get install ([^`]+)`", README)
    assert named
    [wanted] = re.findall(r"^packages=\"(.*)\"$", CI, flags=re.MULTILINE)
    assert shlex.split(wanted) == named[1].split()


def test_every_command_it_names_exists():
    from cli import main

    named = set(re.findall(r"(?:^|[`/ ])clientela ([a-z]+)\b", README, flags=re.MULTILINE))
    assert named
    assert named <= set(main.commands)


def test_every_setting_it_names_is_read():
    settings = (ROOT / "crm" / "settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"CLIENTELA_(?!TEST_)([A-Z_]+)", README))
    assert named
    assert named <= set(re.findall(r'setting\("([A-Z_]+)"', settings))


def test_every_file_it_links_exists():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert linked
    assert not [name for name in linked if not (ROOT / name).exists()]
