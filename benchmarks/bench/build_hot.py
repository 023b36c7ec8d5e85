"""Compile _hot.pyx into build/benchmarks with the flags of a release. Run from the root."""

from Cython.Build import cythonize
from setuptools import Extension, setup

if __name__ == "__main__":
    hot = Extension(
        "_hot",
        ["benchmarks/bench/_hot.pyx", "csrc/hmac_md5.c", "csrc/cmsg.c"],
        include_dirs=["csrc"],
        extra_compile_args=["-std=c11", "-D_GNU_SOURCE", "-O2"],
    )
    setup(
        name="hot",
        packages=[],
        ext_modules=cythonize(  # type: ignore[no-untyped-call]  # Cython is not typed
            [hot],
            include_path=["src"],
            compiler_directives={"language_level": "3str", "cdivision": True},
            build_dir="build/benchmarks",
        ),
        script_args=[
            "-q",
            "build_ext",
            "--build-lib=build/benchmarks",
            "--build-temp=build/benchmarks",
        ],
    )
