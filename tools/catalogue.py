"""The Chinese catalogue: `update` it from the sources, `check` that it is complete, `compile` it for the program."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "zhike" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
# One word for one thing (docs/glossary.md): an English term in a message asks for its Chinese one in the translation.
GLOSSARY = {"play": "玩法", "touch": "触达", "touchpoint": "触点", "plan": "方案", "customer": "客户", "ticket": "工单"}
FORBIDDEN = ("亲，", "哦", "！", "点击这里")
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]*\}")


def update() -> None:
    """Collect messages from the sources with Django's makemessages; needs GNU gettext."""
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "zh_Hans", "--add-location", "file"]
    command += ["--no-obsolete", "--ignore", "static/vendor/*", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT / "zhike", check=True)
    text = re.sub(r'"(POT-Creation-Date|PO-Revision-Date): [^"]*"\n', "", CATALOGUE.read_text(encoding="utf-8"))
    CATALOGUE.write_text(text, encoding="utf-8")


def compile_all() -> None:
    """Write the .mo files without any program but Python."""
    for path in ROOT.glob("zhike/locale/*/LC_MESSAGES/django.po"):
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))


def faults() -> Iterator[str]:
    for entry in polib.pofile(str(CATALOGUE)):
        said = (
            [entry.msgstr, *entry.msgstr_plural.values()]
            if not entry.msgid_plural
            else list(entry.msgstr_plural.values())
        )
        where = f"{entry.msgid[:60]!r}"
        if entry.fuzzy or not any(said):
            yield f"{where} is not translated"
            continue
        text = " ".join(said)
        if (
            sorted(set(PLACEHOLDER.findall(entry.msgid))) != sorted(set(PLACEHOLDER.findall(text)))
            and not entry.msgid_plural
        ):
            yield f"{where}: its placeholders differ from those of {text[:60]!r}"
        english = PLACEHOLDER.sub("", entry.msgid).lower()
        for term, word in GLOSSARY.items():
            if re.search(rf"\b{term}\b", english) and word not in text:
                yield f"{where}: {term!r} is {word} (docs/glossary.md), not {text[:60]!r}"
        for word in FORBIDDEN:
            if word in text:
                yield f"{where}: {word!r} is not how we speak"


def is_current() -> bool:
    """Say whether collecting anew would change the committed catalogue."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "django.po"
        shutil.copyfile(CATALOGUE, kept)
        try:
            update()
            return {entry.msgid_with_context for entry in polib.pofile(str(CATALOGUE))} == {
                entry.msgid_with_context for entry in polib.pofile(str(kept))
            }
        finally:
            shutil.copyfile(kept, CATALOGUE)


def main(task: str) -> int:
    if task == "update":
        update()
    elif task == "compile":
        compile_all()
    else:
        found = list(faults())
        if shutil.which("xgettext") and not is_current():
            found.append("the sources hold other messages than the catalogue: run make catalogue")
        for fault in found:
            print(fault)
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
