"""Rounds of announcements on their way out: every frame of every address in turn, and no faster than its lane allows.

The worker's mutex is around everything here. A track, the frames of one transition in one lane, waits at most once.
"""

from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.loop.transition cimport BATCH_MESSAGES, retain, track_t
from fastvrrp.loop.worker cimport lane_t, step_t


cdef void begin_rounds(host_t* h, transition_t* t, int32_t rounds, bint first_is_sent) noexcept nogil:
    """Announce `rounds` times; `first_is_sent`: once, that was done together with the requests, but for frames that
    keep an interval. A round that is under way is finished before."""
    cdef track_t* track
    cdef int32_t left
    cdef int i
    for i in range(t.n_tracks):
        track = &t.tracks[i]
        left = rounds - (first_is_sent and lane_of(h, track.lane).interval == 0)
        if left <= 0:
            continue
        if track.waits:
            track.rounds = max(track.rounds, left + (track.at > 0))
            continue
        track.at = 0
        track.rounds = left
        track.waits = True
        retain(t)
        append(lane_of(h, track.lane), track)
        h.due = 0


cdef lane_t* lane_of(host_t* h, int32_t number) noexcept nogil:
    """Frames of a group that nobody has set a pace for have none."""
    return &h.lanes[number if 0 < number < h.n_lanes else 0]


cdef void append(lane_t* lane, track_t* track) noexcept nogil:
    track.next = NULL
    if lane.last == NULL:
        lane.first = track
    else:
        lane.last.next = track
    lane.last = track


cdef void end_rounds(transition_t* t) noexcept nogil:
    """What is left of its rounds is dropped; the next ones begin at the first address."""
    cdef int i
    for i in range(t.n_tracks):
        t.tracks[i].at = t.tracks[i].rounds = 0


cdef int32_t rounds_left(const transition_t* t) noexcept nogil:
    """Return how many rounds are under way."""
    cdef int32_t rounds = 0
    cdef int i
    for i in range(t.n_tracks):
        if t.tracks[i].waits:
            rounds = max(rounds, t.tracks[i].rounds)
    return rounds


cdef int64_t gather_frames(host_t* h, int64_t now) noexcept nogil:
    """Take the frames that may leave now, paced ones first; return when the next ones may."""
    cdef int64_t due = NEVER
    cdef lane_t* lane
    cdef int32_t i
    for i in range(h.n_lanes - 1, -1, -1):
        lane = &h.lanes[i]
        if lane.first != NULL and lane.opens <= now:
            fill_from(h, lane, now)
        if lane.first != NULL:
            due = min(due, lane.opens)
    return due


cdef void fill_from(host_t* h, lane_t* lane, int64_t now) noexcept nogil:
    """Take frames of one lane, round by round over all that wait there: one if they keep an interval."""
    cdef step_t* step = &h.step
    cdef track_t* track
    while lane.first != NULL and step.n_frames < BATCH_MESSAGES and step.n_used < BATCH_MESSAGES:
        track = lane.first
        if not is_announced(h, track):
            end_track(step, lane)
            continue
        step.frames[step.n_frames] = track.frames[track.at]
        step.n_frames += 1
        track.at += 1
        if track.at == track.n_frames:
            end_round(step, lane)
        if lane.interval > 0:
            lane.opens = now + lane.interval
            return


cdef bint is_announced(const host_t* h, const track_t* track) noexcept nogil:
    cdef const transition_t* t = track.owner
    return track.rounds > 0 and h.active[t.vr] and (t.once or h.current[t.vr] == t)


cdef void end_round(step_t* step, lane_t* lane) noexcept nogil:
    cdef track_t* track = lane.first
    track.at = 0
    track.rounds -= 1
    if track.rounds == 0:
        end_track(step, lane)
    elif track.next != NULL:
        lane.first = track.next
        append(lane, track)


cdef void end_track(step_t* step, lane_t* lane) noexcept nogil:
    cdef track_t* track = lane.first
    lane.first = track.next
    if lane.first == NULL:
        lane.last = NULL
    track.waits = False
    step.used[step.n_used] = track.owner
    step.n_used += 1
