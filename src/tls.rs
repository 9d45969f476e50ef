//! TLS of the connections that this process opens by itself.

/// Has rustls compute with ring, as sqlx does: for the whole process, once.
pub fn install_crypto_provider() {
    // An error means that it was asked for before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
