"""The hot functions in a loop without Python in between; times are ns for each call."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastvrrp.core.core cimport Core, core_receive
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.wire.advert cimport datagram_t, set_ip_id, set_priority
from fastvrrp.wire.auth cimport prepare_key, seal_ah
from fastvrrp.wire.headers cimport fv_hmac_md5_begin, fv_hmac_md5_end96, fv_md5_add, fv_md5_t
from fastvrrp.wire.packet cimport ACCEPTED, fv_hmac_md5_t, fv_rx_meta_t

from fastvrrp.names import RejectReason


cdef class Adverts:
    """Datagrams of one length, one after the other in memory."""

    cdef uint8_t* data
    cdef size_t length
    cdef readonly int count

    def __cinit__(self, datagrams):
        cdef bytes datagram
        cdef int i
        self.count = len(datagrams)
        self.length = len(datagrams[0])
        self.data = <uint8_t*>malloc(self.count * self.length)
        if self.data == NULL:
            raise MemoryError
        for i, datagram in enumerate(datagrams):
            memcpy(self.data + i * self.length, <const uint8_t*>datagram, self.length)

    def __dealloc__(self):
        free(self.data)


def receive(Core core, Adverts adverts, *, family, bytes src, bytes dst, int64_t now, int64_t step):
    """Give `adverts` to `core`, `step` ns apart from `now` on; return ns for each.

    Raises AssertionError when one of them is rejected.
    """
    cdef fv_rx_meta_t meta, blank
    cdef int64_t began, ended
    cdef int verdict = ACCEPTED
    cdef int i
    memset(&blank, 0, sizeof(blank))
    blank.family = family
    blank.ttl = 255
    memcpy(blank.src, <const uint8_t*>src, len(src))
    memcpy(blank.dst, <const uint8_t*>dst, len(dst))
    with nogil:
        began = monotonic()
        for i in range(adverts.count):
            meta = blank
            now += step
            verdict |= core_receive(
                &core.core, 0, adverts.data + i * adverts.length, adverts.length, &meta, now
            )
        ended = monotonic()
    assert verdict == ACCEPTED, RejectReason(verdict)
    return (ended - began) / adverts.count


def encode(layout, int count, bytes password):
    """Bring the datagram of `layout` up to date `count` times as for sending; return ns for each."""
    cdef bytearray data = bytearray(layout.data)
    cdef bytes src = layout.src
    cdef bytes dst = layout.dst
    cdef const uint8_t* from_ = src
    cdef const uint8_t* to = dst
    cdef uint8_t password8[8]
    cdef fv_hmac_md5_t key
    cdef datagram_t datagram
    cdef int64_t began, ended
    cdef int i
    memset(password8, 0, 8)
    memcpy(password8, <const uint8_t*>password, min(len(password), 8))
    prepare_key(&key, password8)
    datagram.data = data
    datagram.length = len(data)
    datagram.vrrp = layout.vrrp
    datagram.ah = layout.ah
    datagram.family = layout.family
    datagram.version = layout.version
    datagram.unicast = layout.unicast
    datagram.checksum_style = layout.checksum_style
    with nogil:
        began = monotonic()
        for i in range(count):
            set_priority(&datagram, <uint8_t>(1 + i % 254), from_, to)
            set_ip_id(&datagram, <uint32_t>i & 0xFFFF)
            if datagram.ah:
                seal_ah(&datagram, &key, <uint32_t>i)
        ended = monotonic()
    return (ended - began) / count


def hmac(bytes data, int count):
    """Compute HMAC-MD5-96 of `data` `count` times with a prepared key; return ns for each."""
    cdef const uint8_t* begin = data
    cdef size_t length = len(data)
    cdef uint8_t out[12]
    cdef uint8_t password8[8]
    cdef fv_hmac_md5_t key
    cdef fv_md5_t md5
    cdef int64_t began, ended
    cdef int _i
    memset(password8, 1, 8)
    prepare_key(&key, password8)
    with nogil:
        began = monotonic()
        for _i in range(count):
            fv_hmac_md5_begin(&md5, &key)
            fv_md5_add(&md5, begin, length)
            fv_hmac_md5_end96(&md5, &key, out)
        ended = monotonic()
    return (ended - began) / count
