package dev.muelle.services.acm;

import dev.muelle.services.Certificates;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.Tag;

/** What is stored. */
final class State {

  /** Under the ARN. */
  static final Table<Held> CERTIFICATES =
      Table.of(Certificates.TABLE, StoredJson.codec(Held.class));

  /** Under the certificate's ARN. */
  static final Table<Key> KEYS = Table.of("acm.keys", StoredJson.codec(Key.class));

  /** Under resource and certificate. */
  static final Table<Use> USES =
      Table.of("acm.uses", StoredJson.codec(Use.class))
          .index("certificate", Use::certificate)
          .index("resource", Use::resource);

  /** Requests that were made with a token, under the token and what was asked for. */
  static final Table<Asked> TOKENS = Table.of("acm.tokens", StoredJson.codec(Asked.class));

  private State() {}

  /**
   * A certificate.
   *
   * @param detail without its uses, which are counted when it is told
   * @param chain null if none was imported
   */
  record Held(CertificateDetail detail, String pem, @Nullable String chain, List<Tag> tags) {

    Held with(List<Tag> others) {
      return new Held(detail, pem, chain, others);
    }
  }

  /**
   * A private key.
   *
   * @param pkcs8 in base 64
   */
  record Key(String algorithm, String pkcs8) {
    @Override
    public String toString() {
      return "Key[" + algorithm + "]"; // never the key
    }
  }

  record Use(String certificate, String resource) {}

  record Asked(String arn, Instant at) {}
}
