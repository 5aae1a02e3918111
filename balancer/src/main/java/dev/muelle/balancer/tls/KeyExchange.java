package dev.muelle.balancer.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads in what the server says of a handshake by which group keys are exchanged: of TLS 1.3 in the
 * ServerHello's key share (RFC 8446, section 4.2.8), before in the ServerKeyExchange (RFC 8422,
 * section 5.4). Neither Java nor BoringSSL's binding tells. Stands nearer to the network than TLS
 * does, and goes away as soon as it knows.
 */
@SuppressWarnings("FutureReturnValueIgnored") // the promise tells
public final class KeyExchange extends ChannelOutboundHandlerAdapter {

  /** What is read at most of a server's first flight: certificates stand before the key. */
  private static final int MOST = 64 * 1024;

  private static final int HANDSHAKE = 22;
  private static final int SERVER_HELLO = 2;
  private static final int SERVER_KEY_EXCHANGE = 12;
  private static final int SERVER_HELLO_DONE = 14;
  private static final int NAMED_CURVE = 3;
  private static final int KEY_SHARE = 51;

  /**
   * As AWS names them.
   *
   * @see <a
   *     href="https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-8">TLS
   *     Supported Groups</a>
   */
  private static final Map<Integer, String> GROUPS =
      Map.of(
          23, "secp256r1",
          24, "secp384r1",
          25, "secp521r1",
          29, "x25519",
          30, "x448",
          256, "ffdhe2048",
          257, "ffdhe3072",
          0x11ec, "X25519MLKEM768",
          0x11eb, "SecP256r1MLKEM768",
          0x11ed, "SecP384r1MLKEM1024");

  private final ByteArrayOutputStream records = new ByteArrayOutputStream();
  private String name = "";
  private boolean over;

  /** Empty as long as it is not known, and where keys are not exchanged by a group. */
  public String name() {
    return name;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (!over && message instanceof ByteBuf part) {
      byte[] bytes = new byte[part.readableBytes()];
      part.getBytes(part.readerIndex(), bytes);
      records.writeBytes(bytes);
      String found = find(records.toByteArray());
      if (found != null || records.size() > MOST) {
        name = found == null ? "" : found;
        over = true;
        records.reset();
      }
    }
    ctx.write(message, promise);
    if (over && !ctx.isRemoved()) {
      ctx.pipeline().remove(this);
    }
  }

  /** The group, empty if there is none; null if more has to come. */
  static @Nullable String find(byte[] records) {
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    int at = 0;
    boolean ended = false;
    while (at + 5 <= records.length && !ended) {
      int length = number(records, at + 3, 2);
      if (records[at] != HANDSHAKE) {
        ended = true; // from here on all is encrypted, or refused
      } else if (at + 5 + length > records.length) {
        break;
      } else {
        messages.write(records, at + 5, length);
      }
      at += 5 + length;
    }
    String found = inMessages(messages.toByteArray());
    return found == null && ended ? "" : found;
  }

  private static @Nullable String inMessages(byte[] all) {
    for (int at = 0; at + 4 <= all.length; ) {
      int type = all[at];
      int from = at + 4;
      int to = from + number(all, at + 1, 3);
      if (to > all.length) {
        return null;
      }
      if (type == SERVER_HELLO) {
        int group = keyShare(all, from, to);
        if (group >= 0) {
          return named(group);
        }
      } else if (type == SERVER_KEY_EXCHANGE) {
        return to - from >= 3 && all[from] == NAMED_CURVE ? named(number(all, from + 1, 2)) : "";
      } else if (type == SERVER_HELLO_DONE) {
        return ""; // the client encrypts a secret for the server's RSA key
      }
      at = to;
    }
    return null;
  }

  /** The group of a ServerHello's key share; -1 if it has none. */
  private static int keyShare(byte[] all, int from, int to) {
    int session = from + 2 + 32;
    if (session >= to) {
      return -1;
    }
    int at = session + 1 + (all[session] & 0xff) + 2 + 1 + 2; // suite, compression, length
    while (at + 4 <= to) {
      int length = number(all, at + 2, 2);
      if (number(all, at, 2) == KEY_SHARE && length >= 2 && at + 6 <= to) {
        return number(all, at + 4, 2);
      }
      at += 4 + length;
    }
    return -1;
  }

  private static String named(int group) {
    return GROUPS.getOrDefault(group, String.format("0x%04x", group));
  }

  private static int number(byte[] bytes, int at, int length) {
    int number = 0;
    for (int i = 0; i < length; i++) {
      number = number << 8 | bytes[at + i] & 0xff;
    }
    return number;
  }
}
