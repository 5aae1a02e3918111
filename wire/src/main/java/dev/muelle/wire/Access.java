package dev.muelle.wire;

/** Who is let in at the door. */
public sealed interface Access {

  /**
   * Anybody: signatures are not looked at. An access key id of 12 digits names the account,
   * anything else is account 000000000000. For laptops and build machines only.
   */
  record Open() implements Access {}

  /** Only requests signed (SigV4) with a key that {@code keys} knows. */
  record Verified(AccessKeys keys) implements Access {}

  static Access open() {
    return new Open();
  }

  static Access verified(AccessKeys keys) {
    return new Verified(keys);
  }
}
