package dev.muelle.balancer.tls;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client says first, as far as the choice of a certificate needs it.
 *
 * @param name of the server it wants (<a
 *     href="https://www.rfc-editor.org/rfc/rfc6066#section-3">RFC 6066, section 3</a>), lower case;
 *     null if it names none
 * @param tls13 whether it offers a cipher suite of TLS 1.3
 * @param ecdsaSuites whether it offers a cipher suite that an ECDSA certificate can serve
 * @param suites all that it offers, as their two bytes, the preferred one first
 * @param ecdsaSignatures whether it says that it can check ECDSA signatures, or says nothing
 * @param alpn the protocols that it offers, the preferred one first (<a
 *     href="https://www.rfc-editor.org/rfc/rfc7301#section-3.1">RFC 7301, section 3.1</a>)
 */
public record ClientHello(
    @Nullable String name,
    boolean tls13,
    boolean ecdsaSuites,
    Set<Integer> suites,
    boolean ecdsaSignatures,
    List<String> alpn) {

  /** The longest one that is read; browsers need about 2 KiB, with post-quantum key shares. */
  public static final int MAX_BYTES = 16 * 1024;

  private static final int HANDSHAKE = 22;
  private static final int CLIENT_HELLO = 1;
  private static final int RECORD_HEAD = 5;
  private static final int MESSAGE_HEAD = 4;
  private static final int MAX_RECORD = 16 * 1024;
  private static final int RANDOM = 34; // with the version before it
  private static final int SERVER_NAME = 0;
  private static final int SIGNATURE_ALGORITHMS = 13;
  private static final int ALPN = 16;
  private static final int MAX_NAME = 255;

  /** ecdsa_secp256r1_sha256, …384…, …521…, and the SHA-1 one of TLS 1.2. */
  private static final Set<Integer> ECDSA_SCHEMES = Set.of(0x0403, 0x0503, 0x0603, 0x0203);

  private static final Set<Integer> ECDSA_SUITES =
      Set.of(0xC009, 0xC00A, 0xC023, 0xC024, 0xC02B, 0xC02C, 0xCCA9);
  private static final Set<Integer> TLS13_SUITES = Set.of(0x1301, 0x1302, 0x1303);

  /** Thrown for bytes that begin no TLS connection. */
  public static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    public Malformed(String message) {
      super(message);
    }
  }

  /** Whether an ECDSA certificate would do. */
  boolean takesEcdsa(boolean server13) {
    return ecdsaSignatures && (ecdsaSuites || tls13 && server13);
  }

  /** The suite of TLS 1.3 that it prefers; -1 if it offers none. */
  int tls13Suite() {
    for (int suite : suites) {
      if (TLS13_SUITES.contains(suite)) {
        return suite;
      }
    }
    return -1;
  }

  /** Reads without taking; null while it is incomplete. */
  public static @Nullable ClientHello peek(ByteBuf in) throws Malformed {
    ByteBuf message = in.alloc().buffer();
    try {
      return gather(in, message) ? parse(message) : null;
    } catch (IndexOutOfBoundsException e) {
      throw new Malformed("a length points outside");
    } finally {
      message.release();
    }
  }

  /** Puts the message together from its records; false while some is missing. */
  private static boolean gather(ByteBuf in, ByteBuf message) throws Malformed {
    int at = in.readerIndex();
    while (true) {
      int have = in.writerIndex() - at;
      if (have > 0 && in.getByte(at) != HANDSHAKE || have > 1 && in.getByte(at + 1) != 3) {
        throw new Malformed("no TLS handshake");
      }
      if (have < RECORD_HEAD) {
        return false;
      }
      int length = in.getUnsignedShort(at + 3);
      if (length == 0 || length > MAX_RECORD) {
        throw new Malformed("record of " + length + " bytes");
      }
      int part = Math.min(length, have - RECORD_HEAD);
      message.writeBytes(in, at + RECORD_HEAD, part);
      if (message.isReadable() && message.getByte(0) != CLIENT_HELLO) {
        throw new Malformed("no ClientHello");
      }
      if (message.readableBytes() >= MESSAGE_HEAD) {
        int whole = message.getUnsignedMedium(1) + MESSAGE_HEAD;
        if (whole > MAX_BYTES) {
          throw new Malformed("ClientHello of " + whole + " bytes");
        }
        if (message.readableBytes() >= whole) {
          message.writerIndex(whole).readerIndex(MESSAGE_HEAD);
          return true;
        }
      }
      if (part < length) {
        return false;
      }
      at += RECORD_HEAD + length;
    }
  }

  private static ClientHello parse(ByteBuf message) throws Malformed {
    message.skipBytes(RANDOM);
    message.skipBytes(message.readUnsignedByte()); // session
    Set<Integer> suites = shorts(message.readSlice(message.readUnsignedShort()));
    message.skipBytes(message.readUnsignedByte()); // compression
    String name = null;
    boolean signatures = true;
    List<String> alpn = List.of();
    if (message.isReadable()) {
      ByteBuf extensions = message.readSlice(message.readUnsignedShort());
      while (extensions.isReadable()) {
        int type = extensions.readUnsignedShort();
        ByteBuf body = extensions.readSlice(extensions.readUnsignedShort());
        if (type == SERVER_NAME) {
          name = serverName(body);
        } else if (type == SIGNATURE_ALGORITHMS) {
          signatures = intersects(shorts(body.readSlice(body.readUnsignedShort())), ECDSA_SCHEMES);
        } else if (type == ALPN) {
          alpn = protocols(body.readSlice(body.readUnsignedShort()));
        }
      }
    }
    return new ClientHello(
        name,
        intersects(suites, TLS13_SUITES),
        intersects(suites, ECDSA_SUITES),
        suites,
        signatures,
        alpn);
  }

  private static List<String> protocols(ByteBuf list) {
    List<String> all = new ArrayList<>();
    while (list.isReadable()) {
      all.add(list.readSlice(list.readUnsignedByte()).toString(StandardCharsets.ISO_8859_1));
    }
    return List.copyOf(all);
  }

  private static @Nullable String serverName(ByteBuf body) throws Malformed {
    ByteBuf list = body.readSlice(body.readUnsignedShort());
    while (list.isReadable()) {
      int kind = list.readUnsignedByte();
      ByteBuf one = list.readSlice(list.readUnsignedShort());
      if (kind != 0) {
        continue;
      }
      if (one.readableBytes() > MAX_NAME) {
        throw new Malformed("server name of " + one.readableBytes() + " bytes");
      }
      String name = one.toString(StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
      return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }
    return null;
  }

  private static Set<Integer> shorts(ByteBuf list) {
    Set<Integer> all = new LinkedHashSet<>();
    while (list.isReadable()) {
      all.add(list.readUnsignedShort());
    }
    return all;
  }

  private static boolean intersects(Set<Integer> offered, Set<Integer> wanted) {
    return wanted.stream().anyMatch(offered::contains);
  }
}
