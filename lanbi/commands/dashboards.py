"""``lanbi dashboards``: write what Grafana reads, or say whether what is there is still right."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.errors import InputError, SettingsError, WorkError
from lanbi import wiring

if TYPE_CHECKING:
    from dashboards.county import Bureau
    from lanbi.settings import Settings

HERE: Final = Path("deploy/grafana")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi dashboards``."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="写入的文件夹 folder to write into")
    parser.add_argument("--check", type=Path, metavar="DIR", nargs="?", const=HERE, help=f"比较，不写 compare, write nothing (default: {HERE})")
    parser.epilog = "例 example: lanbi dashboards --out /etc/lanbi-grafana"


def run(args: argparse.Namespace) -> int:
    """Write all files; with ``--check`` compare them, exit code 1 if any differs."""
    from dashboards.files import files, variables

    if (args.out is None) == (args.check is None):
        raise InputError("say where", "--out DIR or --check [DIR]", "lanbi dashboards --out deploy/grafana writes, --check compares")
    texts = files(bureau(wiring.settings(args.config)))
    if args.check is not None:
        _compare(args.check, texts)
    else:
        _write(args.out, texts)
    for name, places in variables(texts).items():
        sys.stdout.write(f"环境变量 needs {name}: {', '.join(places)}\n")
    return 0


def bureau(settings: Settings) -> Bureau:
    """What the boards are written for, out of settings, registry and plans."""
    from importlib.util import find_spec

    if not find_spec("grafanalib"):
        raise SettingsError("grafanalib is not installed", "lanbi dashboards", "pip install 'lanbi[board]'")
    from analytics.attainment import figure_of
    from analytics.jobs.intensities import controlled
    from analytics.jobs.water_targets import CHARTS, subject
    from dashboards.county import Bureau

    plans = wiring.plans(settings)
    judged = {target.id: figure for plan in plans for target in plan.targets if (figure := figure_of(target) or CHARTS.get(subject(target)))}
    reported = tuple(dict.fromkeys(target.id for plan in plans for target in plan.targets if controlled(target.id)))
    return Bureau(
        wiring.registry(settings), plans, judged, reported, settings.analyse.on_course, settings.analyse.at_risk, settings.store.bucket, settings.grafana.channels,
        settings.grafana.webhook,
    )  # fmt: skip


def _compare(folder: Path, texts: dict[str, str]) -> None:
    faults = [f"{name}: 多余 no longer written by lanbi" for name in _surplus(folder, texts)]
    for name, text in texts.items():
        path = folder / name
        if not path.is_file():
            faults.append(f"{name}: 缺少 missing")
        elif path.read_bytes() != text.encode():
            faults.append(f"{name}: 不同 differs")
    if faults:
        raise WorkError("; ".join(faults), str(folder), f"lanbi dashboards --out {folder}")
    sys.stdout.write(f"一致 as generated: {len(texts)} files in {folder}\n")


def _surplus(folder: Path, texts: dict[str, str]) -> list[str]:
    """What an earlier version or other settings wrote and these do not. Other people's files in the folder are not ours to judge or remove."""
    from dashboards.files import OWN

    there = [path.relative_to(folder).as_posix() for part in ("dashboards", "provisioning") for path in (folder / part).rglob("*") if path.is_file()]
    return sorted(name for name in there if name not in texts and OWN.fullmatch(name))


def _write(folder: Path, texts: dict[str, str]) -> None:
    """All drafts before the first file is replaced; then what is no longer written is removed, for Grafana would go on reading it."""
    drafts: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = drafts[path] = path.with_name(f".{path.name}.new")
            draft.write_text(text, encoding="utf-8")
        for path, draft in drafts.items():
            draft.replace(path)
        for name in _surplus(folder, texts):
            (folder / name).unlink()
    except OSError as error:
        what, where = f"cannot write: {error.strerror or error}", str(error.filename2 or error.filename or folder)
        raise WorkError(what, where, "choose a folder that can be written, with --out") from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()
    sys.stdout.write(f"已写入 written: {len(texts)} files in {folder}\n")
