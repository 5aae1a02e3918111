package dev.muelle.balancer.netty;

import static dev.muelle.balancer.netty.Http2Requirement.leaves;
import static dev.muelle.balancer.netty.Http2Requirement.row;
import static dev.muelle.balancer.netty.Http2Requirement.serves;
import static dev.muelle.balancer.netty.Http2Wire.END_HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.END_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.block;
import static dev.muelle.balancer.netty.Http2Wire.joined;
import static dev.muelle.balancer.netty.Http2Wire.request;
import static io.netty.handler.codec.http2.Http2Error.COMPRESSION_ERROR;

import dev.muelle.balancer.netty.Http2Requirement.Does;
import java.util.HexFormat;
import java.util.stream.Stream;

/** RFC 7541: how heads are packed. */
final class HpackRows {

  private static final byte[] GET = block(request("GET"));

  private HpackRows() {}

  static Stream<Http2Requirement> all() {
    return Stream.of(
        fault("2.3.3", "a field beyond both tables", after("c6")),
        fault("2.3.3", "a name beyond both tables", after("7f070131")),
        served("2.3.3", "the last field of the table that is given", after("bd")),
        fault("4.1", "a field that was pushed out of the table", pushedOut()),
        fault("4.2", "a change of the table's size after a field", after("20")),
        served("4.2", "two changes of the table's size before the first field", before("203fe11f")),
        fault("4.2, 6.3", "a table larger than we offer", before("3fe21f")),
        fault("4.3", "a field of a table that was emptied", emptied()),
        fault("5.1", "a number above 2^31", after("ffffffffff7f")),
        fault("5.1", "a number that does not end soon", after("ff" + "80".repeat(20) + "01")),
        fault("5.1", "a number that is cut off", after("ff80")),
        fault("5.2", "a text longer than the head", after("0003782d6105")),
        served("5.2", "a text by Huffman's code", after("0003782d618107")),
        fault("5.2", "padding of zeros", after("0003782d618100")),
        fault("5.2", "padding of more than seven bits", after("0003782d618207ff")),
        fault("5.2", "the end of the text within it", after("0003782d6184ffffffff")),
        fault("6.1", "field 0", after("80")),
        row("H6.2.1", "a field that is to be kept, and then its number", kept(), serves(1, 3)),
        served("6.2.2", "a field that is not to be kept", after("0003782d610131")),
        served("6.2.3", "a field that nobody may keep", after("1003782d610131")),
        served("6.2.3", "one whose name is in the table", after("1f010131")));
  }

  private static Http2Requirement fault(String section, String what, Does does) {
    return row("H" + section, what, does, leaves(COMPRESSION_ERROR));
  }

  private static Http2Requirement served(String section, String what, Does does) {
    return row("H" + section, what, does, serves(1));
  }

  private static Does after(String hex) {
    return wire -> head(wire, 1, joined(GET, bytes(hex)));
  }

  private static Does before(String hex) {
    return wire -> head(wire, 1, joined(bytes(hex), GET));
  }

  /** A field that comes into the table, where it is number 62. */
  private static byte[] kept(int length) {
    byte[] kept = block("x-a", "v".repeat(length));
    kept[0] = 0x40;
    return kept;
  }

  private static Does kept() {
    return wire -> {
      head(wire, 1, joined(GET, kept(9)));
      head(wire, 3, joined(GET, bytes("be")));
    };
  }

  /** One that is longer than the table leaves it empty. */
  private static Does pushedOut() {
    return wire -> {
      head(wire, 1, joined(GET, kept(9), kept(5000)));
      head(wire, 3, joined(GET, bytes("be")));
    };
  }

  private static Does emptied() {
    return wire -> {
      head(wire, 1, joined(GET, kept(9)));
      head(wire, 3, joined(bytes("203fe11f"), GET, bytes("be")));
    };
  }

  private static void head(Http2Wire wire, int stream, byte[] block) throws Exception {
    wire.frame(HEADERS, END_HEADERS | END_STREAM, stream, block);
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }
}
