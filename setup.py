"""Builds the C library (csrc/) once and every Cython module against it. All other metadata:
pyproject.toml.

FASTVRRP_DEBUG=1     bounds checks, assertions, line tracing
FASTVRRP_SANITIZE=1  AddressSanitizer and UndefinedBehaviorSanitizer
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent
DEBUG = os.environ.get("FASTVRRP_DEBUG") == "1"
SANITIZE = os.environ.get("FASTVRRP_SANITIZE") == "1"

C_SOURCES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").glob("*.c"))
C_HEADERS = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").glob("*.h"))

HARDENING = ["-fstack-protector-strong", "-fvisibility=hidden"]
DIALECT = ["-std=c11", "-D_GNU_SOURCE"]
LINK = ["-Wl,-z,relro,-z,now"]
if SANITIZE:
    SANITIZERS = "-fsanitize=address,undefined"
    OPTIMISE = ["-O1", "-g", "-fno-omit-frame-pointer", SANITIZERS, "-fno-sanitize-recover=all"]
    LINK += [SANITIZERS]
elif DEBUG:
    OPTIMISE = ["-O0", "-g"]
else:
    OPTIMISE = ["-O2", "-D_FORTIFY_SOURCE=2"]

# Our C only; Cython's output is not written for them.
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]

DIRECTIVES = {
    "language_level": "3str",
    "boundscheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": DEBUG,
    "embedsignature": True,
    "binding": True,
    "linetrace": DEBUG,
    "warn.maybe_uninitialized": True,
}


def extensions() -> list[Extension]:
    """One extension module per .pyx file, named after its place in the package."""
    return [
        Extension(
            ".".join(path.relative_to("src").with_suffix("").parts),
            [str(path)],
            include_dirs=["csrc"],
            depends=C_HEADERS + C_SOURCES,
            extra_compile_args=[*DIALECT, *OPTIMISE, *HARDENING, "-Wno-unreachable-code"],
            extra_link_args=LINK,
        )
        for path in sorted(p.relative_to(ROOT) for p in (ROOT / "src").rglob("*.pyx"))
    ]


setup(
    libraries=[
        (
            "fv",
            {
                "sources": C_SOURCES,
                "include_dirs": ["csrc"],
                "depends": C_HEADERS,
                "cflags": [*DIALECT, "-fPIC", *OPTIMISE, *HARDENING, *WARNINGS],
            },
        )
    ],
    ext_modules=cythonize(
        extensions(),
        include_path=["src"],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
        nthreads=os.cpu_count() or 1,
    ),
)
