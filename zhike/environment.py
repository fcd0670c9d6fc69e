"""Values from the environment, each typed, and loud when one is wrong."""

import os
from pathlib import Path


class WrongSetting(Exception):
    """An environment variable holds something that it cannot mean."""


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_flag(name: str, *, default: bool) -> bool:
    text = env_text(name).lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise WrongSetting(f"{name}={text} is neither yes nor no; write {name}=1 or {name}=0")


def env_number(name: str, *, default: int, least: int, most: int) -> int:
    text = env_text(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError as error:
        raise WrongSetting(f"{name}={text} is not a whole number") from error
    if not least <= number <= most:
        raise WrongSetting(f"{name}={number} lies outside {least}–{most}")
    return number


def env_choice(name: str, default: str, *others: str) -> str:
    text = env_text(name, default)
    if text not in {default, *others}:
        raise WrongSetting(f"{name}={text} is none of {', '.join((default, *others))}")
    return text


def env_address(name: str, *, needed: bool) -> str:
    """Return the address of a service, without a slash at its end."""
    text = env_text(name).rstrip("/")
    if not text and needed:
        raise WrongSetting(f"{name} is not set; write {name}=https://host/v1")
    if text and not text.startswith(("https://", "http://")):
        raise WrongSetting(f"{name}={text} is not the address of a service; write {name}=https://host/v1")
    return text


def env_list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in env_text(name).split(",") if part.strip())


def memory_share(part: int, *, least: int, most: int) -> int:
    """Return one part in so many of this machine's memory in MB, within bounds."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(least, min(most, whole // part))


def env_folder(name: str, *, default: Path) -> Path:
    path = Path(env_text(name) or default).expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise WrongSetting(f"{name}={path} is a file, not a folder")
    return path


def env_bucket(name: str) -> str:
    """Return bucket and prefix of an address such as s3://bucket/prefix, or "" when nothing is given."""
    text = env_text(name)
    place = text.removeprefix("s3://").strip("/")
    if text and (not text.startswith("s3://") or not place):
        raise WrongSetting(f"{name}={text} is not the address of a bucket; write {name}=s3://bucket/prefix")
    return place
