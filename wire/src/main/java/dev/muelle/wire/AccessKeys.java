package dev.muelle.wire;

import java.util.Optional;

/** Finds the secret behind an access key id. */
@FunctionalInterface
public interface AccessKeys {

  Optional<AccessKey> find(String accessKeyId);

  /**
   * A key and whom it speaks for.
   *
   * @param sessionToken the token that must accompany a temporary key; empty for long-term keys
   */
  record AccessKey(
      String accessKeyId,
      String secretAccessKey,
      String sessionToken,
      String account,
      String arn,
      String userId) {

    @Override
    public String toString() {
      return "AccessKey[" + accessKeyId + " of " + arn + "]"; // never the secret
    }
  }
}
