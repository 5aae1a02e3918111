package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class AnswersTest {

  /** In 960 bytes, and some for the question. */
  private static final List<String> SIXTY =
      IntStream.range(0, 60).mapToObj(i -> "10.0.0." + i).toList();

  private final Answers answers =
      new Answers("vpc-1", List.of((vpc, name, client) -> Optional.of(SIXTY)));

  private Message asked(Message query, boolean udp, int most) throws IOException {
    byte[] answer = answers.answer(query.toWire(), udp, "10.0.0.9");
    assertTrue(answer.length <= most, () -> answer.length + " bytes");
    return new Message(answer);
  }

  private static Message query() throws IOException {
    return Message.newQuery(Record.newRecord(Name.fromString("many.example."), Type.A, DClass.IN));
  }

  private static Message query(int takes) throws IOException {
    Message query = query();
    query.addRecord(new OPTRecord(takes, 0, 0), Section.ADDITIONAL);
    return query;
  }

  private static void assertWhole(Message answer) {
    assertEquals(60, answer.getSection(Section.ANSWER).size());
    assertFalse(answer.getHeader().getFlag(Flags.TC));
  }

  /** A client that says nothing has room for 512 bytes, and asks again by TCP if that is told. */
  @Test
  void anAnswerIsNoLongerThanTheClientTakes() throws Exception {
    assertTrue(asked(query(), true, 512).getHeader().getFlag(Flags.TC));
    assertTrue(asked(query(100), true, 512).getHeader().getFlag(Flags.TC));
    assertTrue(asked(query(700), true, 700).getHeader().getFlag(Flags.TC));
    assertWhole(asked(query(4096), true, 1232));
    assertWhole(asked(query(), false, 65_535));
  }
}
