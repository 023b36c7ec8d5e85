"""The authentication trailer of keepalived's auth_hmac: 28 bytes behind the message, on every version and family.

It covers the family, the version, the VRID, the source and the message without its checksum; not the destination,
so that all copies of one advert share it. Its sequence is a time with a counter, so that a receiver that was just
started recognises an old advert, and any receiver one that it has seen.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastvrrp.wire.datagram cimport datagram_t
from fastvrrp.wire.headers cimport (
    FV_TRAILER_DIGEST, FV_TRAILER_HMAC, be64toh, fv_equal, fv_hmac_pseudo_t, fv_hmac_sha256_begin,
    fv_hmac_sha256_end128, fv_hmac_sha256_prepare, fv_sha256_add, fv_sha256_t, fv_trailer_t, fv_vrrp_t, htobe64,
)
from fastvrrp.wire.packet cimport (
    ACCEPTED, REJECT_HMAC_INVALID, REJECT_HMAC_KEY, REJECT_HMAC_MALFORMED, REJECT_HMAC_MISSING,
    REJECT_HMAC_REPLAY, REJECT_HMAC_STALE, advert_t, fv_rx_meta_t, hmac_key_t, packet_t, profile_t, reject_t,
)

__all__ = ["hmac_sha256_128", "in_window", "is_newer", "next_sequence"]

cdef enum:
    NS_PER_SECOND = 1_000_000_000


cdef void prepare_hmac_key(hmac_key_t* key, uint8_t id, const uint8_t* secret, size_t length) noexcept nogil:
    key.id = id
    fv_hmac_sha256_prepare(&key.pads, secret, length)


# ---- what is signed ----

cdef void compute_digest(
    const hmac_key_t* key, uint8_t family, uint8_t version, uint8_t vrid, const uint8_t* src,
    const uint8_t* message, size_t length, const fv_trailer_t* trailer, uint8_t* digest,
) noexcept nogil:
    """Write the 16 bytes of the digest. `length` is that of the message, at least its fixed header."""
    cdef fv_hmac_pseudo_t pseudo
    cdef fv_vrrp_t fixed = (<const fv_vrrp_t*> message)[0]
    cdef fv_trailer_t blank = trailer[0]
    cdef fv_sha256_t sha

    memset(&pseudo, 0, sizeof(pseudo))
    pseudo.family = family
    pseudo.version = version
    pseudo.vrid = vrid
    memcpy(pseudo.src, src, 4 if family == 4 else 16)
    fixed.checksum_be = 0
    memset(blank.digest, 0, FV_TRAILER_DIGEST)

    fv_hmac_sha256_begin(&sha, &key.pads)
    fv_sha256_add(&sha, &pseudo, sizeof(pseudo))
    fv_sha256_add(&sha, &fixed, sizeof(fixed))
    fv_sha256_add(&sha, message + sizeof(fixed), length - sizeof(fixed))
    fv_sha256_add(&sha, &blank, sizeof(blank))
    fv_hmac_sha256_end128(&sha, &key.pads, digest)


# ---- receiving ----

cdef const hmac_key_t* find_key(const profile_t* profile, uint8_t id) noexcept nogil:
    cdef size_t i

    for i in range(profile.n_hmac_keys):
        if profile.hmac_keys[i].id == id:
            return &profile.hmac_keys[i]
    return NULL


cdef reject_t hmac_verify(
    const packet_t* packet, size_t message_len, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    cdef const fv_trailer_t* trailer = <const fv_trailer_t*> (packet.vrrp + message_len)
    cdef const hmac_key_t* key
    cdef uint8_t[16] digest

    if message_len < sizeof(fv_vrrp_t) or packet.vrrp_len < message_len + sizeof(fv_trailer_t):
        return REJECT_HMAC_MISSING
    if trailer.type != FV_TRAILER_HMAC or trailer.reserved_be != 0:
        return REJECT_HMAC_MALFORMED
    advert.hmac_sequence = be64toh(trailer.sequence_be)
    advert.hmac_skew = seconds_after(advert.hmac_sequence, meta.wall)
    key = find_key(profile, trailer.key_id)
    if key != NULL:
        compute_digest(
            key, meta.family, profile.version, profile.vrid, meta.src, packet.vrrp, message_len, trailer, digest
        )
        advert.authentic = fv_equal(digest, trailer.digest, FV_TRAILER_DIGEST)
    if not profile.hmac_monotonic and not hmac_in_window(advert.hmac_sequence, meta.wall, profile.hmac_window):
        return REJECT_HMAC_STALE
    if key == NULL:
        return REJECT_HMAC_KEY
    if not advert.authentic:
        return REJECT_HMAC_INVALID
    # 0 stands for "none" in every mark, and no sender begins with it
    return REJECT_HMAC_REPLAY if advert.hmac_sequence == 0 else ACCEPTED


cdef bint hmac_is_newer(uint64_t sequence, uint64_t mark) noexcept nogil:
    return <int64_t> (sequence - mark) > 0


cdef inline int32_t seconds_after(uint64_t sequence, int64_t wall) noexcept nogil:
    """How far the time in `sequence` is ahead of `wall` (ns), by the 32 bits that it has."""
    return <int32_t> (<uint32_t> (sequence >> 32) - <uint32_t> (wall / NS_PER_SECOND))


cdef bint hmac_in_window(uint64_t sequence, int64_t wall, uint16_t window) noexcept nogil:
    cdef int64_t skew = seconds_after(sequence, wall)

    return -<int64_t> window <= skew <= <int64_t> window


# ---- sending ----

cdef uint64_t hmac_next(uint64_t last, int64_t wall, bint monotonic, uint16_t window) noexcept nogil:
    cdef uint64_t whole = <uint64_t> (wall / NS_PER_SECOND)
    cdef uint64_t rest = <uint64_t> (wall % NS_PER_SECOND)
    cdef uint64_t clock = whole << 32 | (rest * 65536 / NS_PER_SECOND) << 16
    cdef uint64_t chosen = last + 1

    if last == 0 or hmac_is_newer(clock, last):
        chosen = clock
    elif not monotonic and seconds_after(last, wall) > window:
        chosen = clock              # the clock was set back, and receivers follow it
    return chosen if chosen != 0 else 1


cdef void seal_hmac(
    datagram_t* datagram, const hmac_key_t* key, uint64_t sequence, const uint8_t* src,
) noexcept nogil:
    cdef const uint8_t* message = datagram.data + datagram.vrrp
    cdef const fv_vrrp_t* vrrp = <const fv_vrrp_t*> message
    cdef fv_trailer_t* trailer = <fv_trailer_t*> (datagram.data + datagram.trailer)

    trailer.type = FV_TRAILER_HMAC
    trailer.key_id = key.id
    trailer.reserved_be = 0
    trailer.sequence_be = htobe64(sequence)
    compute_digest(
        key, datagram.family, datagram.version, vrrp.vrid, src,
        message, datagram.trailer - datagram.vrrp, trailer, trailer.digest,
    )


# ---- Python faces ----

def hmac_sha256_128(key: bytes, data: bytes) -> bytes:
    """Return the first 16 bytes of HMAC-SHA-256 (RFC 2104), as the trailer carries them."""
    cdef hmac_key_t prepared
    cdef fv_sha256_t sha
    cdef uint8_t[16] out

    prepare_hmac_key(&prepared, 0, <const uint8_t*> key, len(key))
    fv_hmac_sha256_begin(&sha, &prepared.pads)
    fv_sha256_add(&sha, <const uint8_t*> data, len(data))
    fv_hmac_sha256_end128(&sha, &prepared.pads, out)
    return out[:16]


def is_newer(sequence: int, mark: int) -> bool:
    """Return whether `sequence` is after `mark`, both 64 bits, by serial arithmetic (RFC 1982)."""
    return hmac_is_newer(sequence, mark)


def in_window(sequence: int, *, wall_ns: int, window_s: int) -> bool:
    """Return whether the time in `sequence` is at most `window_s` from `wall_ns` (since 1970)."""
    return hmac_in_window(sequence, wall_ns, window_s)


def next_sequence(last: int, *, wall_ns: int, monotonic: bool = False, window_s: int = 5) -> int:
    """Return the sequence of the own advert that follows the one with `last` (0: none yet).

    It is the time of `wall_ns` (since 1970), or `last` + 1 when the clock is not ahead of it. Unless
    `monotonic`, a clock that was set back by more than `window_s` is followed.
    """
    return hmac_next(last, wall_ns, monotonic, window_s)
