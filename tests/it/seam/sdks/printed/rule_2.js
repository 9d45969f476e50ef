// existing: stay-1 on room-101

// creating a new access grant with different doors
await seam.accessGrants.create({
  user_identity_id: "guest-1",
  space_ids: ["room-203"], // different door
  starts_at, ends_at,
  requested_access_methods: [{"mode": "card"}],
  reservation_key: "stay-1",
})
/*
HTTP 409 CONFLICT
title: "Reservation entrance change requires cleanup."
message: "To change the doors for this reservation, delete the existing access
grants first."
*/

const access_grants = await seam.accessGrants.list({ reservation_key: "stay-1" })
for (const { access_grant_id } of access_grants) {
  await seam.accessGrants.delete({ access_grant_id })
}
await seam.accessGrants.create({
  user_identity_id: "guest-1",
  space_ids: ["room-203"], // different door
  starts_at, ends_at,
  requested_access_methods: [{"mode": "card"}],
  reservation_key: "stay-1",
})
