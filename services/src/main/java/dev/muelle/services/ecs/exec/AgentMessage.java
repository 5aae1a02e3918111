package dev.muelle.services.ecs.exec;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.UUID;

/**
 * One message of the data channel. On the wire, big-endian: length of the header (4 bytes, not
 * counting the payload's length), type (32, padded with blanks), version (4), time (8), sequence
 * number (8), flags (8), id (16, the lower half first), SHA-256 of the payload (32), type of the
 * payload (4), its length (4), and the payload.
 *
 * @param createdMillis since 1970
 * @param flags bit 0 begins a stream, bit 1 ends it
 */
public record AgentMessage(
    String type,
    long createdMillis,
    long sequence,
    long flags,
    UUID id,
    int payloadType,
    byte[] payload) {

  public static final String INPUT = "input_stream_data";
  public static final String OUTPUT = "output_stream_data";
  public static final String ACKNOWLEDGE = "acknowledge";
  public static final String CHANNEL_CLOSED = "channel_closed";

  /** What a stream's message carries. */
  public static final int DATA = 1;

  public static final int SIZE = 3;
  public static final int HANDSHAKE_REQUEST = 5;
  public static final int HANDSHAKE_RESPONSE = 6;
  public static final int HANDSHAKE_COMPLETE = 7;
  public static final int FLAG = 10;

  private static final int TYPE_BYTES = 32;
  private static final int DIGEST_BYTES = 32;
  private static final int HEADER = 116;
  private static final int VERSION = 1;

  /** It is not a message. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  public byte[] encode() {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + Integer.BYTES + payload.length);
    bytes.putInt(HEADER);
    byte[] name = new byte[TYPE_BYTES];
    Arrays.fill(name, (byte) ' ');
    byte[] text = type.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, name, 0, text.length);
    bytes.put(name).putInt(VERSION).putLong(createdMillis).putLong(sequence).putLong(flags);
    bytes.putLong(id.getLeastSignificantBits()).putLong(id.getMostSignificantBits());
    bytes.put(digest(payload)).putInt(payloadType).putInt(payload.length).put(payload);
    return bytes.array();
  }

  /**
   * Reads one.
   *
   * @throws MalformedException if lengths or the payload's digest are wrong
   */
  public static AgentMessage decode(byte[] message) throws MalformedException {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(message);
      int header = bytes.getInt();
      if (header < HEADER || header > message.length - Integer.BYTES) {
        throw new MalformedException("a header of " + header + " bytes");
      }
      byte[] name = new byte[TYPE_BYTES];
      bytes.get(name);
      bytes.getInt(); // version
      long created = bytes.getLong();
      long sequence = bytes.getLong();
      long flags = bytes.getLong();
      long low = bytes.getLong();
      UUID id = new UUID(bytes.getLong(), low);
      byte[] digest = new byte[DIGEST_BYTES];
      bytes.get(digest);
      int payloadType = bytes.getInt();
      int length = bytes.position(header).getInt();
      if (length != bytes.remaining()) {
        throw new MalformedException("a payload of " + length + " bytes");
      }
      byte[] payload = new byte[length];
      bytes.get(payload);
      if (length > 0 && !MessageDigest.isEqual(digest, digest(payload))) {
        throw new MalformedException("a payload with another's digest");
      }
      String type = new String(name, StandardCharsets.US_ASCII).replace('\0', ' ').trim();
      return new AgentMessage(type, created, sequence, flags, id, payloadType, payload);
    } catch (BufferUnderflowException e) {
      throw new MalformedException("only " + message.length + " bytes");
    }
  }

  private static byte[] digest(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
