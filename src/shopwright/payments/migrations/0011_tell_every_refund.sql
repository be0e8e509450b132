-- A second refund in part leaves the status as it is: tell of it all the same, so that orders can follow what was
-- given back without them.

CREATE FUNCTION tell_of_another_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM publish_event('payments.payment_changed.v1', NEW.id::text, convert_to(json_build_object(
        'payment_id', NEW.id, 'order_id', NEW.order_id, 'status', NEW.status, 'method', NEW.method,
        'part_of', NEW.group_id,
        'amount', json_build_object('amount', NEW.amount, 'currency', NEW.currency))::text, 'UTF8'), '');
    RETURN NULL;
END $$;

CREATE TRIGGER tell_of_another_refund AFTER UPDATE OF refunded ON payments FOR EACH ROW
    WHEN (NEW.refunded > OLD.refunded AND NEW.status = OLD.status AND NEW.order_id IS NOT NULL)
    EXECUTE FUNCTION tell_of_another_refund();
