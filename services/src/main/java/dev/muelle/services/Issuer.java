package dev.muelle.services;

import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/** The region's certificate authority, for services that need a certificate themselves. */
public interface Issuer {

  /** Whom clients trust that trust this region. */
  X509Certificate certificate();

  /**
   * A certificate.
   *
   * @param names the first one is the subject
   */
  X509Certificate issue(PublicKey holder, List<String> names, Instant from, Instant to);
}
