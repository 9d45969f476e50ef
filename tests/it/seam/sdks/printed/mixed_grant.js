await seam.accessGrants.create({
  user_identity_id: "guest-1",
  acs_entrance_ids: ["room-101-id", "gym-id", "lobby-id"],
  starts_at: "2025-05-10T15:00:00Z",
  ends_at:   "2025-05-14T11:00:00Z",
  requested_access_methods: [{"mode": "card"}],
  reservation_key: "stay-1", // applied only to room-101
})
