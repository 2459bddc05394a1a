"""Boards against the types of Grafana's own schema package, by the TypeScript compiler.

Runs where LANBI_GRAFANA_SCHEMA names a folder in which `npm install @grafana/schema@13.2.3 typescript` was run.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.dashboards.sample import texts

FOLDER = Path(os.environ.get("LANBI_GRAFANA_SCHEMA", "/nowhere"))
COMPILER = FOLDER / "node_modules" / ".bin" / "tsc"
PANELS = {
    "stat": "Stat", "timeseries": "TimeSeries", "table": "Table", "bargauge": "BarGauge", "state-timeline": "StateTimeline", "status-history": "StatusHistory",
    "heatmap": "Heatmap", "text": "Text",
}  # fmt: skip
MODULE = "@grafana/schema/dist/esm/raw/composable/{folder}/panelcfg/x/{name}PanelCfg_types.gen"
OPEN = {"table", "text", "stat", "bargauge"}
"""Kinds whose own settings of a field are no type of their own."""
HEAD = """import { Dashboard, Panel, RowPanel, FieldConfigSource, FieldConfig as Defaults } from '@grafana/schema';
type Plain<T> = T extends string ? (string extends T ? string : `${T}`) : T extends number ? number
  : T extends boolean | null | undefined ? T : T extends Array<infer U> ? Array<Plain<U>> : T extends object ? { [K in keyof T]?: Plain<T[K]> } : T;
type Overrides = Plain<FieldConfigSource>['overrides'];
type Base = Omit<Plain<Panel>, 'type' | 'options' | 'fieldConfig' | 'targets' | 'transformations'> & { targets?: unknown[], transformations?: unknown[] };
type Own<K, O, C> = Base & { type: K, options?: Plain<O>, fieldConfig?: { defaults?: Omit<Plain<Defaults>, 'custom'> & { custom?: Plain<C> }, overrides?: Overrides } };
"""

pytestmark = pytest.mark.skipif(not COMPILER.exists(), reason="no schema package: set LANBI_GRAFANA_SCHEMA, see the head of this file")


def program() -> str:
    """Boards as typed literals: a union of panels by their type."""
    imports = "".join(f"import * as {name} from '{MODULE.format(folder=kind.replace('-', ''), name=name)}';\n" for kind, name in PANELS.items())
    union = " | ".join(
        f"Own<'{kind}', {name}.Options, {'Record<string, unknown>' if kind in OPEN else f'{name}.FieldConfig'}>" for kind, name in PANELS.items()
    )
    kinds = f"type Any = (Plain<RowPanel> & {{ type: 'row' }}) | (Base & {{ type: 'alertlist', options?: unknown, fieldConfig?: unknown }}) | {union};\n"
    board = "type Board = Omit<Plain<Dashboard>, 'panels'> & { panels: Any[] };\n"
    literals = [
        f"export const b{number}: Board = {text.strip()};\n" for number, text in enumerate(text for name, text in texts().items() if "dashboards/env" in name)
    ]
    return imports + HEAD + kinds + board + "".join(literals)


def compiled(text: str) -> str:
    """What the compiler says."""
    file = FOLDER / "boards.ts"
    file.write_text(text)
    flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022", "--types", ""]
    return subprocess.run([str(COMPILER), *flags, file.name], cwd=FOLDER, capture_output=True, text=True, check=False).stdout


def test_boards_have_the_types_of_the_schema() -> None:
    """No unknown option, no wrong word, no text where a number belongs."""
    assert "" == compiled(program())


@pytest.mark.parametrize(
    ("right", "wrong"), [('"displayMode": "basic"', '"displayMode": "lcdx"'), ('"schemaVersion": 42', '"schemaVersion": "42"'), ('"w": 24', '"w": "24"')]
)
def test_a_wrong_type_would_be_found(right: str, wrong: str) -> None:
    """The yardstick itself: each mutation is an error."""
    text = program()
    assert right in text
    assert "error" in compiled(text.replace(right, wrong))
