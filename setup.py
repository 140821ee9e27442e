"""What pyproject.toml has no stable word for: the compiled part, which is left out where it cannot be made (ADR 14)."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("stagedoor._bulk", ["src/stagedoor/_bulk.c"], optional=True)])
