package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import dev.muelle.loop.VirtualTimers;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Mail, taken by a real server. */
@Timeout(60)
class MailTest {

  @TempDir private Path directory;
  private final VirtualTimers timers = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));

  @Test
  void aPersonConfirmsAndGetsMail() throws Exception {
    GreenMail server = new GreenMail(ServerSetup.SMTP.dynamicPort());
    server.start();
    try (World world =
        new World(
            directory,
            timers,
            new Senders.MailServer(
                "127.0.0.1", server.getSmtp().getPort(), "muelle@example.com"))) {
      String topic =
          world
              .sns
              .createTopic(create -> create.name("news").attributes(Map.of("DisplayName", "Año")))
              .topicArn();
      world.sns.subscribe(to -> to.topicArn(topic).protocol("email").endpoint("ana@example.com"));
      timers.settle();
      String question = text(server, 0);
      world.visit(
          question.lines().filter(line -> line.startsWith("http://")).findFirst().orElseThrow());
      world.sns.publish(publish -> publish.topicArn(topic).subject("¡Ojo!").message("se cayó"));
      timers.settle();
      MimeMessage mail = server.getReceivedMessages()[1];
      assertEquals("¡Ojo!", mail.getSubject());
      assertEquals(new InternetAddress("muelle@example.com"), mail.getFrom()[0]);
      assertEquals("Año", ((InternetAddress) mail.getFrom()[0]).getPersonal());
      assertTrue(text(server, 1).startsWith("se cayó"), text(server, 1));

      int port = server.getSmtp().getPort();
      server.stop();
      world.sns.publish(publish -> publish.topicArn(topic).message("later"));
      timers.settle();
      GreenMail again = new GreenMail(new ServerSetup(port, "127.0.0.1", "smtp"));
      again.start();
      try {
        timers.advance(Duration.ofSeconds(10)); // the first retry
        assertTrue(text(again, 0).startsWith("later"), text(again, 0));
      } finally {
        again.stop();
      }
    } finally {
      server.stop();
    }
  }

  private static String text(GreenMail server, int number) throws Exception {
    return String.valueOf(server.getReceivedMessages()[number].getContent());
  }
}
