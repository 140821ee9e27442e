from array import array

def write(
    folder: str,
    paths: list[str],
    sizes: list[int],
    times: list[int],
    view: memoryview,
    mode: int,
    changed: array[int],
    /,
) -> int: ...
def read(
    folder: str, paths: list[str], sizes: list[int], view: memoryview, times: array[int], follow: bool, drop: bool, /
) -> int: ...
def look(folder: str, paths: list[str], sizes: list[int], times: array[int], follow: bool, /) -> int: ...
def dress(folder: str, paths: list[str], times: list[int], mode: int, group: int, /) -> int: ...
def same(descriptor: int, offset: int, view: memoryview, /) -> bool: ...
