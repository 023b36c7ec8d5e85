"""Compile hammer.pyx into build/fuzz; FASTVRRP_SANITIZE=1 sanitizes it. Run from the root."""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

if __name__ == "__main__":
    sanitizers = SANITIZERS if os.environ.get("FASTVRRP_SANITIZE") == "1" else []
    hammer = Extension(
        "hammer",
        ["tests/fuzz/hammer.pyx"],
        include_dirs=["csrc"],
        extra_compile_args=["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", *sanitizers],
        extra_link_args=sanitizers,
    )
    setup(
        name="hammer",
        packages=[],
        ext_modules=cythonize(  # type: ignore[no-untyped-call]  # Cython is not typed
            [hammer],
            include_path=["src"],
            compiler_directives={"language_level": "3str", "cdivision": True},
            build_dir="build/fuzz",
            force=True,
        ),
        script_args=[
            *("build_ext", "--force", "--build-lib=build/fuzz", "--build-temp=build/fuzz"),
        ],
    )
