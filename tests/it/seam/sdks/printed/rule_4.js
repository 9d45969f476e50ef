// ✅ Valid: overlapping time frames
await seam.accessGrants.create({
  user_identity_id: "guest-1",
  space_ids: ["room-101"],
  starts_at: "2025-05-10T15:00:00Z",
  ends_at:   "2025-05-14T11:00:00Z",
  reservation_key: "stay-1",
})

// joiner with overlapping window
await seam.accessGrants.create({
  user_identity_id: "guest-2",
  space_ids: ["room-101"],
  starts_at: "2025-05-11T11:00:00Z", // overlaps with guest-1
  ends_at:   "2025-05-14T11:00:00Z",
  reservation_key: "stay-1",
})

// ❌ Invalid: non-overlapping time frames
await seam.accessGrants.create({
  user_identity_id: "guest-3",
  space_ids: ["room-101"],
  starts_at: "2025-05-15T15:00:00Z", // no overlap with guest-1
  ends_at:   "2025-05-18T11:00:00Z",
  reservation_key: "stay-1",
})
/*
HTTP 409 CONFLICT
title: "Reservation time frames must overlap."
message: "Access grants in the same reservation must have overlapping time
frames."
*/
