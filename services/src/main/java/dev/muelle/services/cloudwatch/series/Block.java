package dev.muelle.services.cloudwatch.series;

import dev.muelle.store.Codec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * A stretch of one series in one tier, stored as one row.
 *
 * @param points by epoch second
 */
record Block(TreeMap<Long, Summary> points) {

  private static final int PLAIN = 0;
  private static final int DEFLATED = 1;
  private static final int WORTH_DEFLATING = 256; // bytes

  static final Codec<Block> CODEC =
      new Codec<>() {
        @Override
        public byte[] encode(Block block) {
          return block.encode();
        }

        @Override
        public Block decode(byte[] bytes) {
          return Block.decode(bytes);
        }
      };

  Block() {
    this(new TreeMap<>());
  }

  void add(long second, Summary summary) {
    points.computeIfAbsent(second, any -> new Summary()).merge(summary);
  }

  private byte[] encode() {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeByte(PLAIN);
      for (Map.Entry<Long, Summary> point : points.entrySet()) {
        out.writeLong(point.getKey());
        point.getValue().write(out);
      }
      if (bytes.size() < WORTH_DEFLATING) {
        return bytes.toByteArray();
      }
      ByteArrayOutputStream packed = new ByteArrayOutputStream(bytes.size() / 2);
      packed.write(DEFLATED);
      try (DeflaterOutputStream deflate = new DeflaterOutputStream(packed)) {
        deflate.write(bytes.toByteArray(), 1, bytes.size() - 1);
      }
      return packed.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it is all in memory
    }
  }

  private static Block decode(byte[] bytes) {
    try (ByteArrayInputStream stored = new ByteArrayInputStream(bytes)) {
      int form = stored.read();
      byte[] plain =
          form == DEFLATED ? new InflaterInputStream(stored).readAllBytes() : stored.readAllBytes();
      Block block = new Block();
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(plain));
      while (in.available() > 0) {
        long second = in.readLong();
        block.points.put(second, Summary.read(in));
      }
      return block;
    } catch (IOException e) {
      throw new UncheckedIOException("a block of points cannot be read back", e);
    }
  }
}
