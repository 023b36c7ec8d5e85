"""The inner loop of decoders.py: mutate, locate, decode, without the GIL.

Every input lies in an allocation of exactly its length, so that AddressSanitizer sees the first byte
read too many.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from fastvrrp.wire.advert cimport decode, locate
from fastvrrp.wire.auth cimport prepare_key
from fastvrrp.wire.datagram cimport datagram_t, set_priority
from fastvrrp.wire.hmac cimport prepare_hmac_key, seal_hmac
from fastvrrp.wire.packet cimport (
    ACCEPTED, N_REJECTS, advert_t, fv_rx_meta_t, packet_t, profile_t, reject_t,
)

cdef enum:
    MAX_INPUT = 2048
    TRAILER = 28


cdef inline uint64_t draw(uint64_t* state) noexcept nogil:
    """xorshift64*: a seed gives the same run everywhere."""
    state[0] ^= state[0] >> 12
    state[0] ^= state[0] << 25
    state[0] ^= state[0] >> 27
    return state[0] * <uint64_t> 0x2545F4914F6CDD1DULL


cdef size_t mutate(uint8_t* data, size_t length, uint64_t* state) noexcept nogil:
    """Damage up to eight places of `data` (MAX_INPUT bytes of room); returns the new length."""
    cdef uint64_t choice
    cdef size_t rounds = draw(state) % 8
    cdef size_t at

    while rounds > 0:
        rounds -= 1
        choice = draw(state)
        at = (choice >> 8) % (length + 1)
        if choice % 4 == 0 and at < length:
            data[at] ^= <uint8_t> (1 << ((choice >> 40) % 8))
        elif choice % 4 == 1 and at < length:
            data[at] = <uint8_t> (choice >> 40)
        elif choice % 4 == 2:
            length = at
        elif length + 64 < MAX_INPUT:
            memset(data + length, <int> (choice >> 40) & 0xFF, at % 64)
            length += at % 64
    # let one in two pass the check of the IPv4 total length, to reach what lies behind it
    if draw(state) % 2 and length >= 20 and data[0] >> 4 == 4:
        data[2] = <uint8_t> (length >> 8)
        data[3] = <uint8_t> length
    return length


cdef void read_addresses(const advert_t* advert, size_t address_len) noexcept nogil:
    """Read all that the decoder says is there, of rejected adverts too."""
    cdef volatile uint8_t _seen      # keeps the compiler from leaving the reads out
    cdef size_t i

    if advert.addresses != NULL:
        for i in range(advert.count * address_len):
            _seen = advert.addresses[i]


cdef bint is_sound(const advert_t* advert, const profile_t* profile) noexcept nogil:
    """What ACCEPTED promises."""
    if profile.n_hmac_keys and not advert.authentic and profile.hmac_mode == 0:
        return False
    return advert.addresses != NULL and advert.count > 0 and advert.interval > 0 and advert.vrid > 0


cdef void repair(
    uint8_t* data, const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, bint trailer, bint sign,
) noexcept nogil:
    """Let the damage reach the checks behind the checksum (of a packet with a trailer), and behind that."""
    cdef datagram_t datagram

    memset(&datagram, 0, sizeof(datagram))
    datagram.data = data
    datagram.vrrp = <uint16_t> (packet.vrrp - data)
    datagram.length = datagram.vrrp + packet.vrrp_len
    datagram.family = meta.family
    datagram.version = packet.vrrp[0] >> 4
    if trailer and packet.vrrp_len >= 8 + TRAILER:
        datagram.trailer = datagram.length - TRAILER
        if sign:
            seal_hmac(&datagram, &profile.hmac_keys[0], <uint64_t> packet.vrrp[packet.vrrp_len - 20] << 32, meta.src)
    set_priority(&datagram, packet.vrrp[2], meta.src, meta.dst)


cdef reject_t execute(uint8_t* data, size_t length, uint64_t choice) noexcept nogil:
    cdef fv_rx_meta_t meta
    cdef packet_t packet
    cdef profile_t profile
    cdef advert_t advert
    cdef reject_t reason
    cdef uint8_t[32] secret

    memset(&meta, 0, sizeof(meta))
    memset(&profile, 0, sizeof(profile))
    meta.family = 6 if choice & 1 else 4
    meta.ttl = 255
    meta.dst[0] = 0xFF
    reason = locate(data, length, &meta, &packet)
    if reason != ACCEPTED:
        return reason
    profile.n_hmac_keys = (choice >> 7) & 1
    profile.hmac_mode = (choice >> 8) % 3
    profile.hmac_monotonic = (choice >> 10) & 1
    memset(secret, 0x5A, sizeof(secret))
    prepare_hmac_key(&profile.hmac_keys[0], 1, secret, sizeof(secret))
    if choice & 32:
        repair(data, &packet, &meta, &profile, profile.n_hmac_keys, (choice >> 11) & 1)
    profile.version = packet.vrrp[0] >> 4 if choice & 2 else 3
    profile.vrid = packet.vrid
    profile.auth_type = (choice >> 2) % 3
    profile.unicast = (choice >> 4) & 1
    profile.any_interval = (choice >> 6) & 1
    profile.strict = (choice >> 12) & 1
    profile.group[0] = 0xFF if (choice >> 13) & 1 else 0
    prepare_key(&profile.ah_key, profile.password)
    reason = decode(&packet, &meta, &profile, &advert)
    read_addresses(&advert, 4 if meta.family == 4 else 16)
    if reason == ACCEPTED and not is_sound(&advert, &profile):
        return N_REJECTS
    return reason


cdef class Corpus:
    """The genuine packets, copied out of Python's reach."""

    cdef uint8_t* data
    cdef size_t* lengths
    cdef size_t count

    def __cinit__(self, packets: list[bytes]) -> None:
        cdef size_t i
        cdef bytes packet

        self.count = len(packets)
        self.data = <uint8_t*> calloc(self.count, MAX_INPUT)
        self.lengths = <size_t*> calloc(self.count, sizeof(size_t))
        if self.data == NULL or self.lengths == NULL:
            raise MemoryError
        for i in range(self.count):
            packet = packets[i][:MAX_INPUT]
            self.lengths[i] = len(packet)
            memcpy(self.data + i * MAX_INPUT, <const uint8_t*> packet, len(packet))

    def __dealloc__(self) -> None:
        free(self.data)
        free(self.lengths)


cdef reject_t once(Corpus corpus, uint64_t* state) noexcept nogil:
    cdef uint8_t[MAX_INPUT] scratch
    cdef size_t chosen = draw(state) % corpus.count
    cdef size_t length
    cdef uint8_t* exact
    cdef reject_t reason

    memcpy(scratch, corpus.data + chosen * MAX_INPUT, MAX_INPUT)
    length = mutate(scratch, corpus.lengths[chosen], state)
    exact = <uint8_t*> malloc(length)
    memcpy(exact, scratch, length)
    reason = execute(exact, length, draw(state))
    free(exact)
    return reason


def hammer(corpus: Corpus, executions: int, seed: int) -> list[int]:
    """Decode `executions` damaged packets; returns how often each RejectReason came out.

    The last figure, beyond the reasons, counts adverts that were accepted and must not be.
    """
    cdef uint64_t[N_REJECTS + 1] counts
    cdef uint64_t state = <uint64_t> seed * 2 + 1   # never 0
    cdef uint64_t remaining = executions

    memset(counts, 0, sizeof(counts))
    with nogil:
        while remaining > 0:
            counts[<size_t> once(corpus, &state)] += 1
            remaining -= 1
    return list(counts)
