package dev.muelle.services.ec2.metadata;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The tokens of version 2: good on one instance only, until they end. None is kept: each says when
 * it ends, and bears a proof that it was made here.
 */
final class MetadataTokens {

  private static final String PROOF = "HmacSHA256";
  private static final int PROOF_BYTES = 32;
  private static final int KEY_DIGITS = 64;

  private static final Table<Key> TABLE =
      Table.of("ec2.metadata_key", StoredJson.codec(Key.class)).remember();

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  /** What proofs are made with; it outlives the server, and tokens with it. */
  private record Key(String hex) {}

  MetadataTokens(Store store, InstantSource clock, Ids ids) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  String issue(String instanceId, Duration life) {
    long end = clock.instant().plus(life).toEpochMilli();
    byte[] said = said(end, Long.parseUnsignedLong(ids.hex(16), 16));
    byte[] token = Arrays.copyOf(said, said.length + PROOF_BYTES);
    System.arraycopy(proof(instanceId, said), 0, token, said.length, PROOF_BYTES);
    return Base64.getUrlEncoder().encodeToString(token);
  }

  private static byte[] said(long end, long nonce) {
    return ByteBuffer.allocate(2 * Long.BYTES).putLong(end).putLong(nonce).array();
  }

  boolean good(String instanceId, String token) {
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(token);
    } catch (IllegalArgumentException e) {
      return false;
    }
    int length = 2 * Long.BYTES;
    if (bytes.length != length + PROOF_BYTES) {
      return false;
    }
    byte[] said = Arrays.copyOf(bytes, length);
    byte[] proof = Arrays.copyOfRange(bytes, length, bytes.length);
    return MessageDigest.isEqual(proof, proof(instanceId, said))
        && ByteBuffer.wrap(said).getLong() > clock.millis();
  }

  private byte[] proof(String instanceId, byte[] said) {
    try {
      Mac mac = Mac.getInstance(PROOF);
      mac.init(new SecretKeySpec(key(), PROOF));
      mac.update(instanceId.getBytes(StandardCharsets.US_ASCII));
      return mac.doFinal(said);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  private byte[] key() {
    Key key =
        store
            .read(tx -> tx.get(TABLE, "key"))
            .map(Row::value)
            .orElseGet(() ->
                store.write(tx ->
                    tx.get(TABLE, "key")
                        .map(Row::value)
                        .orElseGet(
                            () -> tx.put(TABLE, "key", new Key(ids.hex(KEY_DIGITS))).value())));
    return HexFormat.of().parseHex(key.hex());
  }
}
