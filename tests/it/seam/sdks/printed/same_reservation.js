// guest 1
await seam.accessGrants.create({
  user_identity_id: "g1",
  space_ids: ["room-101"],
  starts_at,
  ends_at,
  requested_access_methods: [{"mode": "card"}],
  reservation_key: "stay-1",
})

// guest 2 joins the same lease
await seam.accessGrants.create({
  user_identity_id: "g2",
  space_ids: ["room-101"],
  starts_at,
  ends_at,
  requested_access_methods: [{"mode": "card"}],
  reservation_key: "stay-1",
})
