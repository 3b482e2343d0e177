import subprocess
import sys

import pytest

from studio.allocator import POOLS

CHILD = """
import ctypes, threading
import studio  # which sets the allocator up

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.mallinfo2.restype = Info
libc.free(libc.malloc(30 * 2**20))  # after which glibc by itself would put smaller ones among the small
before = libc.mallinfo2().hblkhd
libc.malloc(16 * 2**20)
print(libc.mallinfo2().hblkhd - before)
blocks = {libc.malloc(1000)}
together = threading.Barrier(8)

def work():
    together.wait()
    blocks.add(libc.malloc(1000))
    together.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len({block >> 26 for block in blocks}))  # a pool begins at a multiple of 64 MB
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_large_blocks_stay_apart_and_threads_share_the_small_ones() -> None:
    said = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    apart, places = map(int, said.stdout.split())
    assert apart >= 16 * 2**20
    assert places <= POOLS + 1  # the first one may lie across such a multiple
