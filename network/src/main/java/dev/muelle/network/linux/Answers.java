package dev.muelle.network.linux;

import dev.muelle.network.NameSource;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedResolver;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.ResolverConfig;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** From a query to an answer: our own names first, then the host's resolvers. */
final class Answers {

  private static final long TTL_SECONDS = 5; // targets come and go
  private static final Duration UPSTREAM_LIMIT = Duration.ofSeconds(3);
  private static final Pattern REVERSE =
      Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.in-addr\\.arpa");

  /** As long as a message may be. */
  static final int MAX_MESSAGE = 65_535;

  /** What any client takes in a datagram, and what passes any path unfragmented. */
  private static final int LEAST_UDP = 512;

  private static final int MAX_UDP = 1232;

  private final String vpcId;
  private final List<NameSource> sources;
  private volatile Optional<ExtendedResolver> upstream = Optional.empty();

  Answers(String vpcId, List<NameSource> sources) {
    this.vpcId = vpcId;
    this.sources = sources;
  }

  /**
   * Answers one message; malformed ones with FORMERR. What is too long for the client's datagrams
   * is cut short, and says so.
   *
   * @param udp whether the answer is to be one datagram
   * @param client the address that it comes from
   * @see <a href="https://www.rfc-editor.org/rfc/rfc6891#section-6.2.3">RFC 6891, 6.2.3</a>
   * @throws IOException if not even the header can be read: then there is nothing to answer
   */
  byte[] answer(byte[] query, boolean udp, String client) throws IOException {
    Message message;
    try {
      message = new Message(query);
    } catch (IOException e) {
      Header header = new Header(query);
      Message refusal = new Message(header.getID());
      refusal.getHeader().setFlag(Flags.QR);
      refusal.getHeader().setRcode(Rcode.FORMERR);
      return refusal.toWire(LEAST_UDP);
    }
    if (message.getHeader().getFlag(Flags.QR)) {
      throw new IOException("an answer, not a query");
    }
    return respond(message, client).toWire(udp ? most(message) : MAX_MESSAGE);
  }

  private static int most(Message query) {
    OPTRecord said = query.getOPT();
    return said == null ? LEAST_UDP : Math.clamp(said.getPayloadSize(), LEAST_UDP, MAX_UDP);
  }

  private Message respond(Message query, String client) throws IOException {
    Record question = query.getQuestion();
    if (query.getHeader().getOpcode() != Opcode.QUERY) {
      return reply(query, Rcode.NOTIMP);
    }
    if (question == null) {
      return reply(query, Rcode.FORMERR);
    }
    String name = question.getName().toString(true).toLowerCase(Locale.ROOT);
    for (NameSource source : sources) {
      Optional<List<String>> found = source.lookup(vpcId, name, client);
      if (found.isPresent()) {
        Message reply = reply(query, Rcode.NOERROR);
        reply.getHeader().setFlag(Flags.AA);
        found.get().stream()
            .map(address -> record(question.getName(), address))
            .filter(one -> question.getType() == one.getType() || question.getType() == Type.ANY)
            .forEach(one -> reply.addRecord(one, Section.ANSWER));
        return reply;
      }
    }
    Optional<Message> reverse = reverse(query, name);
    return reverse.isPresent() ? reverse.get() : forward(query);
  }

  /** Says what an address is called that is asked for as RFC 1035, section 3.5, has it. */
  private Optional<Message> reverse(Message query, String name) throws IOException {
    Matcher numbers = REVERSE.matcher(name);
    if (!numbers.matches()) {
      return Optional.empty();
    }
    String address =
        String.join(".", numbers.group(4), numbers.group(3), numbers.group(2), numbers.group(1));
    for (NameSource source : sources) {
      Optional<String> found = source.reverse(vpcId, address);
      if (found.isPresent()) {
        Record question = query.getQuestion();
        Message reply = reply(query, Rcode.NOERROR);
        reply.getHeader().setFlag(Flags.AA);
        if (question.getType() == Type.PTR || question.getType() == Type.ANY) {
          Name called = Name.fromString(found.get(), Name.root);
          reply.addRecord(
              new PTRRecord(question.getName(), DClass.IN, TTL_SECONDS, called), Section.ANSWER);
        }
        return Optional.of(reply);
      }
    }
    return Optional.empty();
  }

  private static Record record(Name name, String address) {
    InetAddress literal = InetAddress.ofLiteral(address);
    return literal instanceof Inet6Address
        ? new AAAARecord(name, DClass.IN, TTL_SECONDS, literal)
        : new ARecord(name, DClass.IN, TTL_SECONDS, literal);
  }

  private Message forward(Message query) {
    try {
      Message answer = upstream().send(query);
      answer.getHeader().setID(query.getHeader().getID());
      return answer;
    } catch (IOException e) {
      return reply(query, Rcode.SERVFAIL);
    }
  }

  private ExtendedResolver upstream() throws IOException {
    Optional<ExtendedResolver> present = upstream;
    if (present.isPresent()) {
      return present.get();
    }
    List<java.net.InetSocketAddress> servers = ResolverConfig.getCurrentConfig().servers();
    if (servers.isEmpty()) {
      throw new IOException("the host has no resolver");
    }
    ExtendedResolver made =
        new ExtendedResolver(
            servers.stream()
                .map(org.xbill.DNS.SimpleResolver::new)
                .toArray(org.xbill.DNS.Resolver[]::new));
    made.setTimeout(UPSTREAM_LIMIT);
    upstream = Optional.of(made);
    return made;
  }

  private static Message reply(Message query, int rcode) {
    Message reply = new Message(query.getHeader().getID());
    reply.getHeader().setFlag(Flags.QR);
    reply.getHeader().setFlag(Flags.RA);
    if (query.getHeader().getFlag(Flags.RD)) {
      reply.getHeader().setFlag(Flags.RD);
    }
    reply.getHeader().setRcode(rcode);
    if (query.getQuestion() != null) {
      reply.addRecord(query.getQuestion(), Section.QUESTION);
    }
    return reply;
  }
}
