# Reservation has room-101 (reservation-capable door)

# ✅ Valid: subset joiner
seam.access_grants.create(
    user_identity_id="guest-2",
    space_ids=["room-101"], # subset
    starts_at=starts_at, ends_at=ends_at,
    reservation_key="stay-1",
)

# ❌ Invalid: superset joiner (adds 102)
seam.access_grants.create(
    user_identity_id="guest-3",
    space_ids=["room-101", "room-102"], # superset of reservation-capable set
    starts_at=starts_at, ends_at=ends_at,
    reservation_key="stay-1",
)
"""
HTTP 409 CONFLICT
title: "Reservation joiner entrance set conflict."
message: "Joiner access grants must use the same or a subset of the
reservation-capable doors."
"""
