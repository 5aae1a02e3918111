package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.ec2.model.CreateKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.KeyFormat;
import software.amazon.awssdk.services.ec2.model.KeyPairInfo;
import software.amazon.awssdk.services.ec2.model.KeyType;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * Key pairs, whose files openssl reads, and whose fingerprints are those of openssl and OpenSSH.
 */
class KeyPairsTest extends Ec2InMemory {

  /** Made by openssl, as is its fingerprint. */
  private static final String RSA_DER =
      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuu5pZNE00vhSBqusIl0SZfRus9pT+/fHwN"
          + "YzEJZB0D/o9S5S5JF66QEiSjrRk4cPG+a1PaYddsDuOTurY07AZcAAP75W7eqKkuxCVkNxM7gCLCRu"
          + "qJ5Bfb+SlOPM3LwovMeIazgC0JH1LUJHAxN55eWZV9yrD6EXKLUwrfgkIMkBCDWm3TmiNgqjJiT5fp"
          + "v506lfk6VdsGTQI0nt3n56vWlKlPq41TI6Rgq3kAo5lMxqrrJU9LT1AaX7JHNEi81TpP1oW/vIu0qF"
          + "8PNl//9x3utoH+CLnJvqympTKzBSHsQWPKZGpwPR8lMi27z4ncchpCOQEA316bXFjgA72hImqQIDAQ"
          + "AB";

  private static final String RSA_LINE =
      "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC67mlk0TTS+FIGq6wiXRJl9G6z2lP798fA1jMQlk"
          + "HQP+j1LlLkkXrpASJKOtGThw8b5rU9ph12wO45O6tjTsBlwAA/vlbt6oqS7EJWQ3EzuAIsJG6onkF9"
          + "v5KU48zcvCi8x4hrOALQkfUtQkcDE3nl5ZlX3KsPoRcotTCt+CQgyQEINabdOaI2CqMmJPl+m/nTqV"
          + "+TpV2wZNAjSe3efnq9aUqU+rjVMjpGCreQCjmUzGquslT0tPUBpfskc0SLzVOk/Whb+8i7SoXw82X/"
          + "/3He62gf4Iucm+rKalMrMFIexBY8pkanA9HyUyLbvPidxyGkI5AQDfXptcWOADvaEiap";
  private static final String RSA_FILE =
      """
      ---- BEGIN SSH2 PUBLIC KEY ----
      Comment: "2048-bit RSA, converted by somebody from OpenSSH"
      AAAAB3NzaC1yc2EAAAADAQABAAABAQC67mlk0TTS+FIGq6wiXRJl9G6z2lP798fA1jMQlk
      HQP+j1LlLkkXrpASJKOtGThw8b5rU9ph12wO45O6tjTsBlwAA/vlbt6oqS7EJWQ3EzuAIs
      JG6onkF9v5KU48zcvCi8x4hrOALQkfUtQkcDE3nl5ZlX3KsPoRcotTCt+CQgyQEINabdOa
      I2CqMmJPl+m/nTqV+TpV2wZNAjSe3efnq9aUqU+rjVMjpGCreQCjmUzGquslT0tPUBpfsk
      c0SLzVOk/Whb+8i7SoXw82X//3He62gf4Iucm+rKalMrMFIexBY8pkanA9HyUyLbvPidxy
      GkI5AQDfXptcWOADvaEiap
      ---- END SSH2 PUBLIC KEY ----
      """;
  private static final String RSA_FINGERPRINT = "ca:6e:7f:2c:7a:83:03:33:63:76:44:ef:3e:2c:b8:10";

  /** Made by ssh-keygen, as is its fingerprint. */
  private static final String ED25519_LINE =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOAWipkTCKRg665sNB92FNkLbohlcog9jaqiaD/f3s" + "W8";

  private static final String ED25519_FINGERPRINT = "X9xIPZp5dN6pM9bcXtomN9hlseP28L62hdgw/vWJZvc=";

  private KeyPairInfo shown(String name) {
    return ec2.describeKeyPairs(r -> r.keyNames(name).includePublicKey(true)).keyPairs().getFirst();
  }

  private String imported(String name, String material) {
    return ec2.importKeyPair(r ->
            r.keyName(name)
                .publicKeyMaterial(SdkBytes.fromString(material, StandardCharsets.UTF_8)))
        .keyFingerprint();
  }

  @Test
  void anRsaKeyIsPkcs1AndItsFingerprintIsOfItsPkcs8() throws Exception {
    CreateKeyPairResponse made = ec2.createKeyPair(r -> r.keyName("mine"));
    assertTrue(made.keyMaterial().startsWith("-----BEGIN RSA PRIVATE KEY-----\n"));
    Path pem = Files.writeString(directory.resolve("mine.pem"), made.keyMaterial() + "\n");
    Path der = directory.resolve("mine.der");
    Command.run("openssl", "rsa", "-check", "-noout", "-in", pem.toString());
    Command.run(
        "openssl",
        "pkcs8",
        "-topk8",
        "-nocrypt",
        "-outform",
        "DER",
        "-in",
        pem.toString(),
        "-out",
        der.toString());
    byte[] sum = MessageDigest.getInstance("SHA-1").digest(Files.readAllBytes(der));
    assertEquals(HexFormat.ofDelimiter(":").formatHex(sum), made.keyFingerprint());
    String half = Command.run("openssl", "rsa", "-pubout", "-in", pem.toString());
    KeyPairInfo info = shown("mine");
    assertEquals(KeyType.RSA, info.keyType());
    assertTrue(info.publicKey().endsWith(" mine"));
    assertEquals(imported("half", half), imported("line", info.publicKey()), "the same key");
  }

  @Test
  void anEd25519KeyIsOpenSshsAndBearsItsPublicHalf() throws Exception {
    CreateKeyPairResponse made = ec2.createKeyPair(r -> r.keyName("mine").keyType(KeyType.ED25519));
    List<String> lines = made.keyMaterial().lines().toList();
    assertEquals("-----BEGIN OPENSSH PRIVATE KEY-----", lines.getFirst());
    byte[] body =
        Base64.getMimeDecoder().decode(String.join("", lines.subList(1, lines.size() - 1)));
    String[] words = shown("mine").publicKey().split(" ", -1);
    byte[] blob = Base64.getDecoder().decode(words[1]);
    String hex = HexFormat.of().formatHex(body);
    assertEquals("ssh-ed25519", words[0]);
    assertTrue(hex.contains(HexFormat.of().formatHex(blob)));
    assertEquals(
        Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(blob)),
        made.keyFingerprint());
    // The seed is the first half of 64 bytes; openssl makes the same public half of it.
    int secret = hex.indexOf("00000040") + 8;
    String seed = hex.substring(secret, secret + 64);
    Path der =
        Files.write(
            directory.resolve("key.der"),
            HexFormat.of().parseHex("302e020100300506032b657004220420" + seed));
    String text =
        Command.run("openssl", "pkey", "-inform", "DER", "-in", der.toString(), "-pubout");
    assertEquals(made.keyFingerprint(), imported("half", text));
  }

  @Test
  void aPuttyFileHasItsMac() throws Exception {
    for (KeyType type : List.of(KeyType.RSA, KeyType.ED25519)) {
      String name = "key of " + type;
      String text =
          ec2.createKeyPair(r -> r.keyName(name).keyType(type).keyFormat(KeyFormat.PPK))
              .keyMaterial();
      List<String> lines = text.lines().toList();
      String algorithm = "ssh-" + type;
      assertEquals("PuTTY-User-Key-File-2: " + algorithm, lines.get(0));
      assertEquals("Comment: " + name, lines.get(2));
      byte[] open = body(lines, "Public-Lines: ");
      byte[] secret = body(lines, "Private-Lines: ");
      assertEquals(
          shown(name).publicKey(),
          algorithm + " " + Base64.getEncoder().encodeToString(open) + " " + name);
      Mac mac = Mac.getInstance("HmacSHA1");
      mac.init(
          new SecretKeySpec(
              MessageDigest.getInstance("SHA-1")
                  .digest("putty-private-key-file-mac-key".getBytes(StandardCharsets.US_ASCII)),
              "HmacSHA1"));
      for (byte[] part : List.of(bytes(algorithm), bytes("none"), bytes(name), open, secret)) {
        mac.update(java.nio.ByteBuffer.allocate(4).putInt(part.length).array());
        mac.update(part);
      }
      assertEquals("Private-MAC: " + HexFormat.of().formatHex(mac.doFinal()), lines.getLast());
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] body(List<String> lines, String header) {
    int at =
        IntStream.range(0, lines.size())
            .filter(i -> lines.get(i).startsWith(header))
            .findFirst()
            .orElseThrow();
    int count = Integer.parseInt(lines.get(at).substring(header.length()));
    return Base64.getDecoder().decode(String.join("", lines.subList(at + 1, at + 1 + count)));
  }

  @Test
  void keysAreImportedInThreeFormsAndTheirFingerprintsAreOthersToo() {
    assertEquals(RSA_FINGERPRINT, imported("line", RSA_LINE + " somebody@example.com"));
    assertEquals(RSA_FINGERPRINT, imported("der", RSA_DER));
    assertEquals(RSA_FINGERPRINT, imported("file", RSA_FILE));
    assertEquals(ED25519_FINGERPRINT, imported("edwards", ED25519_LINE));
    assertEquals(RSA_LINE + " file", shown("file").publicKey());
    for (String wrong :
        List.of(
            "",
            "hello",
            "ssh-rsa",
            "ssh-rsa AAAA",
            "ssh-ed25519 " + RSA_LINE.split(" ", -1)[1],
            RSA_LINE.substring(0, RSA_LINE.length() - 8),
            "ssh-dss AAAAB3NzaC1kc3M=",
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABf////w==")) {
      refused(
          "InvalidKey.Format",
          "Key is not in valid OpenSSH public key format",
          () -> imported("wrong", wrong));
    }
  }

  @Test
  void namesAreUsedOnceAndFiltersFind() {
    String id =
        ec2.createKeyPair(r ->
                r.keyName("one")
                    .keyType(KeyType.ED25519)
                    .tagSpecifications(
                        TagSpecification.builder()
                            .resourceType(ResourceType.KEY_PAIR)
                            .tags(Tag.builder().key("team").value("a").build())
                            .build()))
            .keyPairId();
    imported("two", RSA_LINE);
    refused(
        "InvalidKeyPair.Duplicate",
        "The keypair 'one' already exists.",
        () -> ec2.createKeyPair(r -> r.keyName("one")));
    refused(
        "InvalidKeyPair.NotFound",
        "The key pair 'three' does not exist",
        () -> ec2.describeKeyPairs(r -> r.keyNames("three")));
    refused(
        "DryRunOperation",
        "Request would have succeeded, but DryRun flag is set.",
        () -> ec2.createKeyPair(r -> r.keyName("three").dryRun(true)));
    assertEquals(List.of("one"), names("tag:team", "a"));
    assertEquals(List.of("two"), names("fingerprint", RSA_FINGERPRINT));
    assertEquals(List.of("one"), names("key-pair-id", id));
    assertEquals(List.of("two"), names("key-name", "t*"));
    assertNull(ec2.describeKeyPairs(r -> {}).keyPairs().getFirst().publicKey());
    ec2.createTags(r -> r.resources(id).tags(Tag.builder().key("stage").value("test").build()));
    assertEquals(List.of("one"), names("tag-key", "stage"));
    assertEquals(id, ec2.deleteKeyPair(r -> r.keyPairId(id)).keyPairId());
    assertNull(ec2.deleteKeyPair(r -> r.keyName("one")).keyPairId(), "one is gone already");
    assertEquals(List.of("two"), names("key-name", "*"));
    assertEquals(List.of(), ec2.describeTags(r -> {}).tags());
  }

  private List<String> names(String filter, String value) {
    return ec2
        .describeKeyPairs(r -> r.filters(Filter.builder().name(filter).values(value).build()))
        .keyPairs()
        .stream()
        .map(KeyPairInfo::keyName)
        .toList();
  }

  @Test
  void ofManyAtOnceOneHasTheName() throws Exception {
    try (ExecutorService many = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Boolean> one =
          () -> {
            try {
              ec2.createKeyPair(r -> r.keyName("one").keyType(KeyType.ED25519));
              return true;
            } catch (Ec2Exception e) {
              assertEquals("InvalidKeyPair.Duplicate", e.awsErrorDetails().errorCode());
              return false;
            }
          };
      List<Future<Boolean>> all = many.invokeAll(java.util.Collections.nCopies(16, one));
      int made = 0;
      for (Future<Boolean> done : all) {
        made += done.get() ? 1 : 0;
      }
      assertEquals(1, made);
      assertEquals(
          "one",
          ec2.describeKeyPairs(r -> {}).keyPairs().stream()
              .map(KeyPairInfo::keyName)
              .collect(Collectors.joining()));
    }
  }
}
