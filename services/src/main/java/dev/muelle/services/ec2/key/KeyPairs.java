package dev.muelle.services.ec2.key;

import dev.muelle.services.Ids;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.KeyPairRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.CreateKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.DeleteKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.DeleteKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.DescribeKeyPairsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeKeyPairsResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.ImportKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.ImportKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.KeyFormat;
import software.amazon.awssdk.services.ec2.model.KeyPairInfo;
import software.amazon.awssdk.services.ec2.model.KeyType;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Key pairs. The private half of one that is made here is shown once and kept nowhere.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html">Key
 *     pairs</a>
 */
public final class KeyPairs {

  private static final int MOST = 5_000;
  private static final String NAME = "[\\x20-\\x7e]{1,255}";

  private static final Filters<KeyPairInfo> FILTERS =
      new Filters<>(KeyPairInfo::tags)
          .by("key-pair-id", KeyPairInfo::keyPairId)
          .by("fingerprint", KeyPairInfo::keyFingerprint)
          .by("key-name", KeyPairInfo::keyName);

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  public KeyPairs(Store store, InstantSource clock, Ids ids) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  private static Ec2Exception missing(String name) {
    return Refuse.because("InvalidKeyPair.NotFound", "The key pair '" + name + "' does not exist");
  }

  /** The one that a launch names. */
  public static KeyPairRecord named(Tx tx, String name) {
    return find(tx, name).orElseThrow(() -> missing(name));
  }

  private static Optional<KeyPairRecord> find(Tx tx, String name) {
    return tx.find(Tables.KEY_PAIRS, "name", name).stream().map(Row::value).findFirst();
  }

  public CreateKeyPairResponse create(CreateKeyPairRequest request) {
    Refuse.unlessEffective(
        request, Set.of("KeyName", "KeyType", "KeyFormat", "TagSpecifications", "DryRun"));
    String name = name(request.keyName());
    KeyType type = Objects.requireNonNullElse(request.keyType(), KeyType.RSA);
    if (type == KeyType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalidValue(request.keyTypeAsString(), "keyType", "It must be rsa or ed25519.");
    }
    if (request.keyFormat() == KeyFormat.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalidValue(request.keyFormatAsString(), "keyFormat", "It must be pem or ppk.");
    }
    List<Tag> tags = Tags.given("key-pair", request.tagSpecifications());
    store.read(tx -> free(tx, name)); // before the work of making one
    PrivateKey made = PrivateKey.make(type);
    KeyPairRecord record = add(name, made.publicKey(), made.fingerprint(), tags, request.dryRun());
    return CreateKeyPairResponse.builder()
        .keyPairId(record.id())
        .keyName(name)
        .keyFingerprint(record.fingerprint())
        .keyMaterial(request.keyFormat() == KeyFormat.PPK ? made.ppk(name) : made.pem(name))
        .tags(tags)
        .build();
  }

  public ImportKeyPairResponse importKey(ImportKeyPairRequest request) {
    Refuse.unlessEffective(
        request, Set.of("KeyName", "PublicKeyMaterial", "TagSpecifications", "DryRun"));
    String name = name(request.keyName());
    List<Tag> tags = Tags.given("key-pair", request.tagSpecifications());
    if (request.publicKeyMaterial() == null) {
      throw Refuse.missing("PublicKeyMaterial");
    }
    PublicKey key;
    try {
      key =
          PublicKey.read(
              new String(request.publicKeyMaterial().asByteArray(), StandardCharsets.ISO_8859_1));
    } catch (PublicKey.NotRead e) {
      throw Refuse.because("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    }
    KeyPairRecord record = add(name, key, key.fingerprint(), tags, request.dryRun());
    return ImportKeyPairResponse.builder()
        .keyPairId(record.id())
        .keyName(name)
        .keyFingerprint(record.fingerprint())
        .tags(tags)
        .build();
  }

  private static String name(@Nullable String given) {
    String name = Refuse.required(given, "KeyName").strip();
    if (!name.matches(NAME)) {
      throw Refuse.invalidValue(
          name, "keyName", "It must have 1 to 255 characters, all of them ASCII.");
    }
    return name;
  }

  private static boolean free(Tx tx, String name) {
    if (find(tx, name).isPresent()) {
      throw Refuse.because(
          "InvalidKeyPair.Duplicate", "The keypair '" + name + "' already exists.");
    }
    return true;
  }

  private KeyPairRecord add(
      String name, PublicKey key, String fingerprint, List<Tag> tags, @Nullable Boolean dryRun) {
    KeyPairRecord record =
        new KeyPairRecord(
            ids.ec2("key"),
            name,
            key.type(),
            fingerprint,
            key.line(name),
            clock.instant().truncatedTo(ChronoUnit.MILLIS));
    return store.write(tx -> {
      free(tx, name);
      if (tx.count(Tables.KEY_PAIRS) >= MOST) {
        throw Refuse.because(
            "KeyPairLimitExceeded", "The maximum number of key pairs has been reached.");
      }
      tx.insert(Tables.KEY_PAIRS, record.id(), record);
      Tags.put(tx, record.id(), tags);
      Refuse.ifDryRun(dryRun);
      return record;
    });
  }

  /** One that is not there is no fault; instances keep what they were launched with. */
  public DeleteKeyPairResponse delete(DeleteKeyPairRequest request) {
    if (request.keyName() == null && request.keyPairId() == null) {
      throw Refuse.missing("KeyName or KeyPairId");
    }
    Optional<KeyPairRecord> gone =
        store.write(tx -> {
          Optional<KeyPairRecord> found =
              request.keyName() == null
                  ? tx.get(Tables.KEY_PAIRS, request.keyPairId()).map(Row::value)
                  : find(tx, request.keyName().strip());
          Optional<KeyPairRecord> meant =
              found.filter(
                  pair -> request.keyPairId() == null || request.keyPairId().equals(pair.id()));
          meant.ifPresent(pair -> {
            tx.delete(Tables.KEY_PAIRS, pair.id());
            Tags.forget(tx, pair.id());
          });
          Refuse.ifDryRun(request.dryRun());
          return meant;
        });
    return DeleteKeyPairResponse.builder()
        .returnValue(true)
        .keyPairId(gone.map(KeyPairRecord::id).orElse(null))
        .build();
  }

  public DescribeKeyPairsResponse describe(DescribeKeyPairsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    boolean whole = Boolean.TRUE.equals(request.includePublicKey());
    List<KeyPairInfo> all =
        store.read(tx -> asked(tx, request).map(pair -> shown(tx, pair, whole)).toList());
    return DescribeKeyPairsResponse.builder()
        .keyPairs(FILTERS.select(all, request.filters()))
        .build();
  }

  /** Those with these names and ids, all of which must exist; without any, all there are. */
  private static Stream<KeyPairRecord> asked(Tx tx, DescribeKeyPairsRequest request) {
    if (request.keyNames().isEmpty() && request.keyPairIds().isEmpty()) {
      return tx.list(Tables.KEY_PAIRS).stream().map(Row::value);
    }
    return Stream.concat(
            request.keyNames().stream().map(name -> named(tx, name)),
            request.keyPairIds().stream().map(id -> Kind.KEY_PAIR.get(tx, id)))
        .distinct();
  }

  private static KeyPairInfo shown(Tx tx, KeyPairRecord pair, boolean whole) {
    return KeyPairInfo.builder()
        .keyPairId(pair.id())
        .keyName(pair.name())
        .keyType(pair.type())
        .keyFingerprint(pair.fingerprint())
        .createTime(pair.created())
        .publicKey(whole ? pair.publicKey() : null)
        .tags(Tags.of(tx, pair.id()))
        .build();
  }
}
