package dev.muelle.services.acm;

import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Base64;
import java.util.Optional;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;

/** Keys of the algorithms that ACM knows. */
final class Keys {

  private Keys() {}

  /** A key's algorithm in ACM's words; empty if ACM takes no such keys. */
  static Optional<KeyAlgorithm> algorithm(PublicKey key) {
    return Optional.ofNullable(
        switch (key) {
          case RSAKey rsa ->
              switch (rsa.getModulus().bitLength()) {
                case 1024 -> KeyAlgorithm.RSA_1024;
                case 2048 -> KeyAlgorithm.RSA_2048;
                case 3072 -> KeyAlgorithm.RSA_3072;
                case 4096 -> KeyAlgorithm.RSA_4096;
                default -> null;
              };
          case ECKey ec ->
              switch (ec.getParams().getOrder().bitLength()) {
                case 256 -> KeyAlgorithm.EC_PRIME256_V1;
                case 384 -> KeyAlgorithm.EC_SECP384_R1;
                case 521 -> KeyAlgorithm.EC_SECP521_R1;
                default -> null;
              };
          default -> null;
        });
  }

  /** A new pair, of one of the algorithms for which certificates can be requested. */
  static KeyPair generate(KeyAlgorithm algorithm, SecureRandom random) {
    try {
      boolean rsa = algorithm == KeyAlgorithm.RSA_2048;
      KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC");
      if (rsa) {
        generator.initialize(new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4), random);
      } else {
        generator.initialize(
            new ECGenParameterSpec(
                algorithm == KeyAlgorithm.EC_SECP384_R1 ? "secp384r1" : "secp256r1"),
            random);
      }
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException | InvalidAlgorithmParameterException e) {
      throw new IllegalStateException(e); // every JDK has these
    }
  }

  /** Whether a private key is the one of this public key. */
  static boolean match(PrivateKey secret, PublicKey open) {
    if (!secret.getAlgorithm().equals(open.getAlgorithm())) {
      return false;
    }
    try {
      String scheme = open instanceof RSAKey ? "SHA256withRSA" : "SHA256withECDSA";
      byte[] sample = {1, 2, 3};
      Signature signer = Signature.getInstance(scheme);
      signer.initSign(secret);
      signer.update(sample);
      byte[] signature = signer.sign();
      Signature verifier = Signature.getInstance(scheme);
      verifier.initVerify(open);
      verifier.update(sample);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  static State.Key store(PrivateKey key) {
    return new State.Key(key.getAlgorithm(), Base64.getEncoder().encodeToString(key.getEncoded()));
  }

  static PrivateKey load(State.Key stored) {
    try {
      return KeyFactory.getInstance(stored.algorithm())
          .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(stored.pkcs8())));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a stored key cannot be read back", e);
    }
  }
}
