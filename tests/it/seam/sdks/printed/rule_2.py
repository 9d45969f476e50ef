# existing: stay-1 on room-101

# creating a new access grant with different doors
seam.access_grants.create(
    user_identity_id="guest-1",
    space_ids=["room-203"], # different door
    starts_at=starts_at, ends_at=ends_at,
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-1",
)
"""
HTTP 409 CONFLICT
title: "Reservation entrance change requires cleanup."
message: "To change the doors for this reservation, delete the existing access
grants first."
"""

access_grants = seam.access_grants.list(reservation_key="stay-1")
for access_grant in access_grants:
    seam.access_grants.delete(access_grant_id=access_grant.access_grant_id)
seam.access_grants.create(
    user_identity_id="guest-1",
    space_ids=["room-203"], # different door
    starts_at=starts_at, ends_at=ends_at,
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-1",
)
