"""Writing past the caches: a result far larger than they are is not fetched from memory only to be overwritten."""

from __future__ import annotations

from typing import Any, Final

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH: Final = 4
"""Values of 32 bits that one store writes."""
ALIGNED: Final = 4 * WIDTH
"""A store begins at a multiple of so many bytes, or the processor refuses it."""
_WORDS: Final[Any] = cgutils  # numba's own words for machine code carry no types


def _stream(_typing: Any, line: Any, out: Any, row: Any) -> Any:  # noqa: ARG001  names and number are those of the call
    """``stream(line, out, row)`` for numba's compiler."""
    words = _WORDS.ir

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (context.make_array(kind)(context, builder, one) for kind, one in zip(signature.args[:2], arguments[:2], strict=True))
        lanes = words.VectorType(words.FloatType(), WIDTH).as_pointer()
        (width,) = _WORDS.unpack_tuple(builder, source.shape, 1)
        first = builder.gep(target.data, [builder.mul(arguments[2], width)])
        near, far = builder.bitcast(source.data, lanes), builder.bitcast(first, lanes)
        mark = builder.module.add_metadata([words.Constant(_WORDS.int32_t, 1)])
        with _WORDS.for_range(builder, builder.udiv(width, words.Constant(width.type, WIDTH))) as loop:
            values = builder.load(builder.gep(near, [loop.index]), align=4)
            builder.store(values, builder.gep(far, [loop.index]), align=ALIGNED).set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(line, out, types.intp), generate


stream: Final[Any] = intrinsic(_stream)
"""``stream(line, out, row)``: write a (s,) float32 line to a row of a (t, s) float32 array; both without gaps.

s is a multiple of :data:`WIDTH` and ``out`` begins at a multiple of :data:`ALIGNED` bytes: who calls looks first. Whoever reads the
rows in another thread takes a lock to learn that they are there, and that is what makes them visible.

A plain store first fetches the line of memory that it changes. A compiler that is asked for such stores in a loop of arithmetic
makes them one by one, four times slower: so the arithmetic writes a line that stays near, and this copies it.
"""
