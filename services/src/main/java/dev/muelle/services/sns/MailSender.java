package dev.muelle.services.sns;

import jakarta.mail.Message.RecipientType;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.UnsupportedEncodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.Properties;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;

/** Hands mail to the user's own server. */
final class MailSender {

  private static final String MILLIS = "15000";
  private static final int PERMANENT = 500;

  private final Session session;
  private final String from;

  /** A sender by this server. */
  MailSender(Senders.MailServer server) {
    Properties properties = new Properties();
    properties.put("mail.smtp.host", server.host());
    properties.put("mail.smtp.port", String.valueOf(server.port()));
    properties.put("mail.smtp.connectiontimeout", MILLIS);
    properties.put("mail.smtp.timeout", MILLIS);
    properties.put("mail.smtp.writetimeout", MILLIS);
    properties.put("mail.smtp.starttls.enable", "true");
    session = Session.getInstance(properties);
    from = server.from();
  }

  Outcome send(String to, String senderName, String subject, String body, Instant at) {
    try {
      MimeMessage mail = new MimeMessage(session);
      mail.setFrom(new InternetAddress(from, senderName, StandardCharsets.UTF_8.name()));
      mail.setRecipient(RecipientType.TO, new InternetAddress(to, true));
      mail.setSubject(subject, StandardCharsets.UTF_8.name());
      mail.setText(body, StandardCharsets.UTF_8.name());
      mail.setSentDate(Date.from(at));
      Transport.send(mail);
      return new Outcome(Outcome.Result.DELIVERED, 0, "");
    } catch (MessagingException | UnsupportedEncodingException e) {
      return new Outcome(
          refused(e) ? Outcome.Result.NEVER : Outcome.Result.AGAIN,
          0,
          String.valueOf(e.getMessage()));
    }
  }

  /** Whether the server says that trying again is no use. */
  private static boolean refused(Exception failure) {
    for (Exception e = failure;
        e instanceof MessagingException failed;
        e = failed.getNextException()) {
      int code =
          switch (e) {
            case SMTPSendFailedException sending -> sending.getReturnCode();
            case SMTPAddressFailedException address -> address.getReturnCode();
            default -> 0;
          };
      if (code >= PERMANENT) {
        return true;
      }
    }
    return false;
  }
}
